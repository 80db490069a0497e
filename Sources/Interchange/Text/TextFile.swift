import DiskAccess
import Foundation

/// Files of text from elsewhere: UTF-8 or an error, with or without a byte order mark, any line ends.
enum TextFile {
    /// - Throws: an error that says why it cannot be read, as of one sample.
    static func read(_ url: URL) throws(ImportError) -> Data {
        do throws(DiskError) {
            return try Disk.read(url.path)
        } catch {
            throw ImportError(
                url.path,
                error.code == ENOENT
                    ? "does not exist" : "cannot be read (\(error.reason)); check the path and its permissions",
                skippable: .unreadable)
        }
    }

    static func text(_ bytes: some Collection<UInt8>, at place: String) throws(ImportError) -> String {
        var rest = Array(bytes)
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest.removeFirst(3) }
        guard let text = String(validating: rest, as: UTF8.self) else {
            throw ImportError(place, "is not UTF-8; save it as UTF-8", skippable: .caption)
        }
        return text
    }

    /// A caption: its text without the white space around it.
    static func caption(_ bytes: some Collection<UInt8>, at place: String) throws(ImportError) -> String {
        try text(bytes, at: place).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
