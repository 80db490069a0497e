package import Foundation

/// The prompts of a text file: one a line, text before a tab.
///
/// CRLF and a missing last newline are fine, empty lines are skipped, and a prompt that comes again (byte for byte)
/// counts once, at its first place.
package struct PromptFile {
    package let prompts: [String]

    package init(_ url: URL) throws(PromptFileError) {
        let data: Data
        do {
            data = try Data(contentsOf: url)
        } catch {
            throw .unreadable(path: url.path)
        }
        prompts = try Self.parse(data, path: url.path)
        if prompts.isEmpty { throw .empty(path: url.path) }
    }

    package static func parse(_ data: Data, path: String) throws(PromptFileError) -> [String] {
        var prompts: [String] = []
        // Bytes, not strings: Swift takes canonically equivalent strings as equal, a tokenizer does not.
        var seen: Set<[UInt8]> = []
        var rest = data[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        for (index, line) in rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let bytes = trimmed(line.prefix { $0 != UInt8(ascii: "\t") })
            guard !bytes.isEmpty else { continue }
            guard let prompt = String(validating: bytes, as: UTF8.self) else {
                throw .invalidText(path: path, line: index + 1)
            }
            if seen.insert(bytes).inserted { prompts.append(prompt) }
        }
        return prompts
    }

    private static func trimmed(_ bytes: Data) -> [UInt8] {
        let blank: Set<UInt8> = [UInt8(ascii: " "), UInt8(ascii: "\r")]
        let head = bytes.drop { blank.contains($0) }
        let end = head.lastIndex { !blank.contains($0) }
        return end.map { Array(head[...$0]) } ?? []
    }
}

/// What can be wrong with a prompt file.
package enum PromptFileError: Error, CustomStringConvertible, Equatable {
    case unreadable(path: String)
    case invalidText(path: String, line: Int)
    case empty(path: String)

    package var description: String {
        switch self {
        case .unreadable(let path): "\(path): cannot be read as a prompt file; check the path given to --prompts"
        case .invalidText(let path, let line): "\(path): line \(line) is not UTF-8; save the file as UTF-8"
        case .empty(let path): "\(path): has no prompts; put one on each line"
        }
    }
}
