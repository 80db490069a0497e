import CorpusStore
import DiskAccess
package import Foundation

/// Near-miss prompts: texts that describe almost the same image, and are wrong of it.
package struct NegativePrompts: Sendable {
    /// Names them in a run's identity: a resumed run must have the same.
    package let digest: String
    private let make: @Sendable (String) -> [String]

    /// - Parameters:
    ///   - digest: of the rules or the table that they come from.
    ///   - make: from a prompt to its near misses; none for a prompt that has none.
    package init(digest: String, _ make: @escaping @Sendable (String) -> [String]) {
        (self.digest, self.make) = (digest, make)
    }

    /// The near misses of a prompt, without the prompt itself.
    package func callAsFunction(_ prompt: String) -> [String] {
        make(prompt).filter { ExactText($0) != ExactText(prompt) }
    }
}

extension NegativePrompts {
    private struct Line: Decodable {
        let prompt: String
        let negatives: [String]
    }

    /// Reads a file of JSON lines, `{"prompt": "…", "negatives": ["…", …]}`. Lines of one prompt add up.
    ///
    /// - Throws: ``NegativePromptsError`` naming the line that is not of this form.
    package init(file: URL) throws(NegativePromptsError) {
        let data: Data
        do throws(DiskError) { data = try Disk.read(file.path) } catch {
            throw NegativePromptsError("\(file.path): cannot be read (\(error.message)); check --negatives")
        }
        var table: [ExactText: [String]] = [:]
        for (index, line) in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let isBlank = line.allSatisfy {
                $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\t")
            }
            if isBlank { continue }
            guard let found = try? JSONDecoder().decode(Line.self, from: Data(line)) else {
                throw NegativePromptsError(
                    "\(file.path): line \(index + 1) is not {\"prompt\": \"…\", \"negatives\": [\"…\"]}; write one JSON object "
                        + "a line")
            }
            table[ExactText(found.prompt), default: []] += found.negatives
        }
        if table.isEmpty {
            throw NegativePromptsError("\(file.path): has no near-miss prompts; write one JSON object per line")
        }
        let known = table
        self.init(digest: Digest(of: data).hex) { known[ExactText($0)] ?? [] }
    }
}

/// Why a file of near-miss prompts cannot be used.
package struct NegativePromptsError: Error, CustomStringConvertible, Sendable {
    package let description: String

    init(_ description: String) { self.description = description }
}
