import Foundation
import Testing

/// What `attune query --json` says of a sample.
struct Query: Decodable {
    let id: String
    let prompt: String
    let seed: Int
    let mi: Double?

    /// All samples that fit, in the command's order.
    static func samples(_ corpus: String, _ arguments: [String] = []) throws -> [Query] {
        let outcome = try Attune.start(["query", "--corpus", corpus, "--json"] + arguments).wait()
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONDecoder().decode([Query].self, from: Data(outcome.output.utf8))
    }

    static func count(_ corpus: String) throws -> Int { try samples(corpus).count }
}
