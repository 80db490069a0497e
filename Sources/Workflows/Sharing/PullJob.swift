package import CorpusStore
package import OCI

/// What `attune pull` does: brings a selection and its samples from a registry or an OCI layout.
package struct PullJob: Sendable {
    private let reference: String
    private let registry: RegistryAccess
    private let inspection: ShardInspection

    /// - Parameters:
    ///   - reference: where the artifact is, as `ArtifactLocation` reads it.
    ///   - registry: how registries are reached.
    ///   - inspection: checks each shard before it is imported.
    package init(reference: String, registry: RegistryAccess, inspection: ShardInspection) {
        (self.reference, self.registry, self.inspection) = (reference, registry, inspection)
    }

    /// Fetches what the corpus lacks. Cancelling its task ends it between two requests.
    ///
    /// - Parameters:
    ///   - name: of the selection in the corpus.
    ///   - progress: called with the bytes fetched and those to fetch.
    /// - Throws: ``OCIError`` and ``CorpusError``; what was fetched before is not fetched again.
    package func run(
        into corpus: Corpus, as name: String,
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> ArtifactPull.Outcome {
        let inspection = inspection
        return try await registry.withStore(reference, creating: false) { store in
            try await ArtifactPull(corpus: corpus, store: store) { try inspection($0, $1) }.run(
                as: name, report: progress)
        }
    }
}
