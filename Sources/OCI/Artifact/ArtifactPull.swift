package import CorpusStore
package import Foundation

/// Brings a selection and its samples into a corpus; what the corpus has already is not fetched.
///
/// Shards arrive one by one, each complete and checked; the selection's name comes last. Killed at any moment, it
/// leaves a corpus that verifies, and running it again resumes where it stopped.
package struct ArtifactPull: Sendable {
    /// What a pull did.
    package struct Outcome: Sendable, Equatable {
        package var manifest: BlobDigest
        package var selection: Digest
        package var samples: Int
        package var addedSamples: Int
        package var fetchedShards = 0
        package var skippedShards = 0
        package var receivedBytes = 0
        /// Names of vectors that were left out: those of the corpus under that name have another width.
        package var otherVectors: [String] = []
    }

    /// Asked before a shard from elsewhere is parsed in this process, as damage that is made to crash libhdf5 should
    /// crash another one.
    package typealias Inspection = @Sendable (URL, Digest) async throws -> Void

    private let corpus: Corpus
    private let store: any ArtifactStore
    private let inspect: Inspection

    package init(corpus: Corpus, store: any ArtifactStore, inspect: @escaping Inspection = { _, _ in }) {
        (self.corpus, self.store, self.inspect) = (corpus, store, inspect)
    }

    /// A selection's document: 67 bytes per sample.
    private static let largestSelection = 1 << 30

    /// - Parameters:
    ///   - name: what the selection is called here.
    ///   - report: told how many of how many bytes are there.
    package func run(
        as name: String, report: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws -> Outcome {
        // A name that cannot be one is found out before gigabytes are fetched.
        _ = try corpus.history(of: name)
        let data = try await store.manifest()
        let manifest = try ArtifactManifest(data: data, from: store.name)
        let selection = try await self.selection(manifest.config)

        // What is adopted below has no name until all of it is there.
        let lease = try corpus.lease()
        defer { withExtendedLifetime(lease) {} }
        let missing = try self.missing(selection.ids)
        let others = try otherVectors(manifest.layers)
        let layers = manifest.layers.filter { layer in
            layer.mediaType != MediaType.vectors || !others.contains(LayerRange(layer.annotations)?.scorer ?? "")
        }
        let wanted = try self.wanted(layers, of: selection.ids, missing: missing)
        var outcome = Outcome(
            manifest: BlobDigest(Digest(of: data)), selection: selection.digest, samples: selection.ids.count,
            addedSamples: missing.count, skippedShards: manifest.layers.count - wanted.count)
        outcome.otherVectors = others.sorted()
        let total = wanted.map(\.size).reduce(0, +)
        for layer in wanted {
            try Task.checkCancellation()
            let before = outcome.receivedBytes
            try await adopt(layer) { report(before + $0, total) }
            outcome.fetchedShards += 1
            outcome.receivedBytes += layer.size
        }
        if !wanted.isEmpty { try corpus.requireReadable(corpus.catchUp()) }
        let lacking = try self.missing(selection.ids)
        guard lacking.isEmpty else {
            throw OCIError(
                .mismatch, store.name,
                "the artifact lacks \(lacking.count) of its selection's samples: push it again; no name was set")
        }
        try corpus.store(selection, as: name)
        for layer in manifest.layers { PartialDownload.clear(corpus, layer.digest) }
        return outcome
    }

    private func selection(_ config: Descriptor) async throws -> Selection {
        guard config.size <= Self.largestSelection else {
            throw OCIError(.malformed, store.name, "its selection claims \(config.size) bytes")
        }
        let download = try PartialDownload(corpus, config.digest)
        try await store.fetch(config, to: download.file) { _ in }
        defer { download.discard() }
        return try Selection(data: Data(contentsOf: download.file), at: store.name)
    }

    private func missing(_ ids: [Digest]) throws(CorpusError) -> Set<Digest> {
        Set(ids).subtracting(try corpus.rows(ids).keys)
    }

    /// Names of vectors whose width differs from those that the corpus has.
    private func otherVectors(_ layers: [Descriptor]) throws(CorpusError) -> Set<String> {
        let widths = Dictionary(try corpus.vectorSummaries().map { ($0.name, $0.width) }) { first, _ in first }
        let ranges = layers.filter { $0.mediaType == MediaType.vectors }.compactMap { LayerRange($0.annotations) }
        return Set(
            ranges.compactMap { range in
                guard let name = range.scorer, let width = range.width, let own = widths[name] else { return nil }
                return width == own ? nil : name
            })
    }

    /// The layers that hold something new.
    private func wanted(
        _ layers: [Descriptor], of ids: [Digest], missing: Set<Digest>
    ) throws -> [Descriptor] {
        let present = Set(try corpus.shards())
        var wanted: [Descriptor] = []
        for layer in layers where !present.contains(layer.digest.sha256) {
            let range = LayerRange(layer.annotations)
            func isAbout(_ id: Digest) -> Bool { range?.contains(id) ?? true }
            let isNew =
                switch (layer.mediaType, range?.scorer) {
                case (MediaType.scores, let scorer?):
                    try Digest(hex: scorer).map { try !corpus.unscored(ids.filter(isAbout), by: $0).isEmpty } ?? true
                case (MediaType.annotations, let scorer?):
                    try corpus.lacksAnnotations(
                        of: ids.filter(isAbout), by: scorer, revision: range?.revision ?? .max)
                case (MediaType.vectors, let name?):
                    try corpus.lacksVectors(of: ids.filter(isAbout), named: name, revision: range?.revision ?? .max)
                case (MediaType.shard, _): missing.contains(where: isAbout)
                default: true
                }
            if isNew { wanted.append(layer) }
        }
        return wanted
    }

    private func adopt(_ layer: Descriptor, received: @escaping @Sendable (Int) -> Void) async throws {
        let download = try PartialDownload(corpus, layer.digest)
        try await store.fetch(layer, to: download.file, received: received)
        do {
            try await inspect(download.file, layer.digest.sha256)
            try corpus.adopt(download.file, digest: layer.digest.sha256)
        } catch let error as CorpusError where error.code == .damaged {
            download.discard()
            throw OCIError(.malformed, store.name, "the shard \(layer.digest) was refused: \(error.message)")
        }
    }
}
