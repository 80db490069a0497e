package import CorpusStore
import DiskAccess
import Foundation

/// Repairs a corpus from another copy of what it holds.
package struct Repairer: Sendable {
    private let corpus: Corpus
    private let registry: RegistryAccess
    private let inspection: ShardInspection

    /// - Parameters:
    ///   - registry: how to reach one.
    ///   - inspection: checks shards that come from one.
    package init(corpus: Corpus, registry: RegistryAccess, inspection: ShardInspection) {
        (self.corpus, self.registry, self.inspection) = (corpus, registry, inspection)
    }

    /// - Parameter place: a corpus's folder, or what `pull` takes; nil to move damage aside only.
    /// - Throws: ``CorpusError`` and ``OCIError``.
    package func run(_ damage: [Damage], from place: String?) async throws -> [RepairOutcome] {
        guard let place else { return try corpus.repair(damage, from: nil) }
        let folder = URL(fileURLWithPath: place, isDirectory: true)
        if try Disk.exists(folder.appending(path: "attune.json").path) {
            return try corpus.repair(damage, from: Corpus(at: folder, scoring: TraceScores()))
        }
        // What is damaged leaves the corpus, which then lacks it; fetching what a corpus lacks is what a pull does.
        let outcomes = try corpus.repair(damage, from: nil)
        _ = try await PullJob(reference: place, registry: registry, inspection: inspection).run(
            into: corpus, as: "repaired")
        return outcomes
    }
}
