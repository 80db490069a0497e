package import CorpusStore
package import OCI

/// What `attune push` does: sends a selection with its samples to a registry or into an OCI layout.
package struct PushJob: Sendable {
    private let reference: String
    private let registry: RegistryAccess
    /// Send the corpus's own shards as they are, with samples that are not selected.
    package var wholeShards = false
    /// A note on the license of the samples.
    package var license: String?

    /// - Parameters:
    ///   - reference: where the artifact goes, as `ArtifactLocation` reads it.
    ///   - registry: how registries are reached.
    package init(reference: String, registry: RegistryAccess) {
        (self.reference, self.registry) = (reference, registry)
    }

    /// Sends what is not there. Cancelling its task ends it between two requests.
    ///
    /// - Parameters:
    ///   - name: the selection's, or `name~1` for the one before.
    ///   - warn: told of what the artifact will not say of where its samples come from.
    ///   - progress: called with the shards that are there and all of them.
    /// - Throws: ``CorpusError`` and ``OCIError``; what was sent before is not sent again.
    package func run(
        _ name: String, of corpus: Corpus, warn: @Sendable (String) -> Void = { _ in },
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> ArtifactPush.Outcome {
        let selection = try corpus.selection(meant: name)
        let lineage = try AdapterLineage(corpus)
        for problem in lineage.problems { warn("note: \(problem); the adapters of that run are not named") }
        let provenance = Provenance(
            title: name, license: license, estimator: TraceScores().identity,
            adapters: lineage.adapters)
        let wholeShards = wholeShards
        return try await registry.withStore(reference, creating: true) { store in
            try await ArtifactPush(corpus: corpus, store: store, wholeShards: wholeShards)
                .run(selection, provenance: provenance, report: progress)
        }
    }
}
