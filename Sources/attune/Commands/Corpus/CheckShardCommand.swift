import ArgumentParser
import CorpusStore
import Foundation

/// What ``Workflows/ShardInspection`` runs in a process of its own.
struct CheckShardCommand: AsyncParsableCommand {
    static let name = "check-shard"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "Check one shard file, all of it.", shouldDisplay: false)

    @Argument var file: String

    @Argument var digest: String

    func run() async throws {
        guard let digest = Digest(hex: digest) else { throw ValidationError("'\(digest)' is not a SHA-256") }
        try Corpus.inspect(URL(fileURLWithPath: file), digest: digest)
    }
}
