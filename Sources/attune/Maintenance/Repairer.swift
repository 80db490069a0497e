import Corpus
import Disk
import Foundation
import OCI
import Tuning

/// Repairs a corpus from another copy of what it holds.
struct Repairer {
    let corpus: Corpus
    let registry: RegistryOptions

    /// - Parameter place: a corpus's folder, or what `pull` takes.
    func run(_ damage: [Damage], from place: String?) async throws -> [RepairOutcome] {
        guard let place else { return try corpus.repair(damage, from: nil) }
        let folder = URL(fileURLWithPath: place, isDirectory: true)
        if try Disk.exists(folder.appending(path: "attune.json").path) {
            return try corpus.repair(damage, from: Corpus(at: folder, scoring: TraceScores()))
        }
        // What is damaged leaves the corpus, which then lacks it; fetching what a corpus lacks is what a pull does.
        let outcomes = try corpus.repair(damage, from: nil)
        let corpus = corpus
        _ = try await registry.withStore(place, creating: false) { store in
            let inspection = ShardInspection()
            return try await ArtifactPull(corpus: corpus, store: store) { try inspection($0, $1) }.run(as: "repaired")
        }
        return outcomes
    }
}
