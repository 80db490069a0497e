package import Foundation

/// The prompts of a text file: one per line, text before a tab.
///
/// LF, CRLF and CR end a line, a missing last line end is fine, empty lines are skipped, and a prompt that comes again
/// (byte for byte) counts once, at its first place.
package struct PromptFile {
    package let prompts: [String]

    package init(_ url: URL) throws(PromptFileError) {
        let data: Data
        do {
            // Pipes too, as `--prompts <(command)` gives one: their size is not known before they are read.
            let file = try FileHandle(forReadingFrom: url)
            data = try file.readToEnd() ?? Data()
        } catch {
            throw .unreadable(path: url.path)
        }
        prompts = try Self.parse(data, path: url.path)
        if prompts.isEmpty { throw .empty(path: url.path) }
    }

    package static func parse(_ data: Data, path: String) throws(PromptFileError) -> [String] {
        var bytes = Array(data)
        if let encoding = otherEncoding(bytes) { throw .otherEncoding(path: path, encoding: encoding) }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        var prompts: [String] = []
        // Bytes, not strings: Swift takes canonically equivalent strings as equal, a tokenizer does not.
        var seen: Set<[UInt8]> = []
        for (index, line) in lines(bytes).enumerated() {
            let prompt = trimmed(line.prefix { $0 != UInt8(ascii: "\t") })
            guard !prompt.isEmpty else { continue }
            guard let text = String(validating: prompt, as: UTF8.self) else {
                throw .invalidText(path: path, line: index + 1)
            }
            if let control = text.unicodeScalars.first(where: { $0.properties.generalCategory == .control }) {
                throw .controlCharacter(path: path, line: index + 1, code: control.value)
            }
            if seen.insert(Array(prompt)).inserted { prompts.append(text) }
        }
        return prompts
    }

    /// Lines without their ends. A file has CR alone as an end only where no line ends in LF: elsewhere a CR is part of
    /// a CRLF, or of nothing that a prompt may hold.
    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        let (feed, carriage) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        guard bytes.contains(feed) else { return bytes.split(separator: carriage, omittingEmptySubsequences: false) }
        return bytes.split(separator: feed, omittingEmptySubsequences: false).map { line in
            line.last == carriage ? line.dropLast() : line
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let blank = UInt8(ascii: " ")
        let head = bytes.drop { $0 == blank }
        let end = head.lastIndex { $0 != blank }
        return end.map { head[...$0] } ?? []
    }

    /// The encoding that a file must have been saved in if not in UTF-8, as editors and spreadsheets of Windows do:
    /// told by its byte order mark, or by every other byte being zero.
    private static func otherEncoding(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return "UTF-32" }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
        let head = bytes.prefix(4096)
        guard head.count > 3 else { return nil }
        let even = head.enumerated().count { $0.offset % 2 == 0 && $0.element == 0 }
        let odd = head.enumerated().count { $0.offset % 2 == 1 && $0.element == 0 }
        let most = head.count * 2 / 5
        return max(even, odd) > most && min(even, odd) * 4 < max(even, odd) ? "UTF-16" : nil
    }
}

/// What can be wrong with a prompt file.
package enum PromptFileError: Error, CustomStringConvertible, Equatable {
    case unreadable(path: String)
    case otherEncoding(path: String, encoding: String)
    case invalidText(path: String, line: Int)
    case controlCharacter(path: String, line: Int, code: UInt32)
    case empty(path: String)

    package var description: String {
        switch self {
        case .unreadable(let path): "\(path): cannot be read as a prompt file; check the path given to --prompts"
        case .otherEncoding(let path, let encoding): "\(path): is \(encoding); save it as UTF-8"
        case .invalidText(let path, let line): "\(path): line \(line) is not UTF-8; save it as UTF-8"
        case .controlCharacter(let path, let line, let code):
            "\(path): line \(line) has the control character U+\(Self.padded(code)); remove it, or save it as UTF-8"
        case .empty(let path): "\(path): has no prompts; put one on each line"
        }
    }

    private static func padded(_ code: UInt32) -> String {
        let digits = String(code, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
