import Foundation

/// Files of text from elsewhere: UTF-8 or an error, with or without a byte order mark, any line ends.
enum TextFile {
    static func read(_ url: URL) throws(ImportError) -> Data {
        do {
            return try Data(contentsOf: url)
        } catch {
            throw ImportError(url.path, "cannot be read; check the path and its permissions")
        }
    }

    static func text(_ bytes: some Collection<UInt8>, at place: String) throws(ImportError) -> String {
        var rest = Array(bytes)
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest.removeFirst(3) }
        guard let text = String(validating: rest, as: UTF8.self) else {
            throw ImportError(place, "is not UTF-8; save it as UTF-8")
        }
        return text
    }

    /// A caption: its text without the white space around it.
    static func caption(_ bytes: some Collection<UInt8>, at place: String) throws(ImportError) -> String {
        try text(bytes, at: place).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
