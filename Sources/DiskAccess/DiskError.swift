import Foundation

/// A call on a file that failed.
package struct DiskError: Error, LocalizedError, CustomStringConvertible, Sendable, Equatable {
    package let path: String
    /// What failed, and why.
    package let message: String
    /// The operating system's error number; 0 where it reported none.
    package let code: Int32

    package init(_ what: String, _ path: String, _ code: Int32 = errno) {
        self.path = path
        self.code = code
        message = code == 0 ? what : "\(what): \(String(cString: strerror(code)))"
    }

    /// Why alone, where the operating system said it.
    package var reason: String { code == 0 ? message : String(cString: strerror(code)) }

    /// Whether the file system has no such call, rather than failed at it.
    package var isUnsupported: Bool { [EINVAL, ENOTSUP, EOPNOTSUPP, ENOSYS].contains(code) }

    package var description: String { "\(path): \(message)" }
    package var errorDescription: String? { description }
}
