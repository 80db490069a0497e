import Foundation

/// What went wrong with an HDF5 file: the operation, the object and the file, in one line.
package struct HDF5Error: Error, LocalizedError, CustomStringConvertible, Sendable, Equatable {
    /// The file's path.
    package let path: String
    /// The object inside the file; empty for the file itself.
    package let object: String
    package let message: String
    /// The operating system's error number, where it would not open the file; 0 for what is wrong inside.
    package let code: Int32

    package init(path: String, object: String = "", _ message: String, code: Int32 = 0) {
        (self.path, self.object, self.message, self.code) = (path, object, message, code)
    }

    package var description: String { object.isEmpty ? "\(path): \(message)" : "\(path): \(object): \(message)" }
    package var errorDescription: String? { description }
}
