package import CorpusStore
import Foundation

/// Sends a selection with its samples to a store; what the store has already is not sent again.
///
/// ```swift
/// let layout = try OCILayout(URL(fileURLWithPath: "stick"), tag: "v1", creating: true)
/// let outcome = try await ArtifactPush(corpus: corpus, store: layout)
///     .run(corpus.selection(named: "best"), provenance: Provenance(title: "best"))
/// ```
package struct ArtifactPush: Sendable {
    /// What a push did.
    package struct Outcome: Sendable, Equatable {
        package var manifest: BlobDigest
        package var samples: Int
        package var shards: Int
        /// Shards that the store had already.
        package var presentShards: Int
        /// Layers and the selection's document.
        package var sentBlobs: Int
        package var sentBytes: Int
        /// Whether the reference stands for another artifact than before.
        package var changedReference: Bool
    }

    private let corpus: Corpus
    private let store: any ArtifactStore
    private let wholeShards: Bool

    /// - Parameters:
    ///   - corpus: what is sent from.
    ///   - store: what it is sent to.
    ///   - wholeShards: send the corpus's own shards as they are, instead of packing just the selected samples.
    package init(corpus: Corpus, store: any ArtifactStore, wholeShards: Bool = false) {
        (self.corpus, self.store, self.wholeShards) = (corpus, store, wholeShards)
    }

    /// - Parameters:
    ///   - selection: whose samples must all be in the corpus.
    ///   - provenance: goes into the manifest's annotations.
    ///   - report: told how many of how many shards are there.
    package func run(
        _ selection: Selection, provenance: Provenance, report: @Sendable (Int, Int) -> Void = { _, _ in }
    ) async throws -> Outcome {
        let found = try corpus.rows(selection.ids)
        guard found.count == Set(selection.ids).count, !found.isEmpty else {
            let missing = selection.ids.first { found[$0] == nil }
            throw OCIError(
                .notFound, provenance.title,
                missing.map { "its sample \($0) is not in the corpus: pull or generate it first" }
                    ?? "the selection is empty: there is nothing to push")
        }
        let rows = Array(found.values)
        try checkSize(rows, title: provenance.title)
        var sent: [Sent]
        if wholeShards {
            sent = try await sendSealed(rows, report)
        } else {
            sent = try await sendPacked(rows, report)
        }
        sent += try await sendScores(rows)
        sent += try await sendVectors(rows)
        let layers = sent.map(\.blob)
        let present = sent.count { !$0.isNew }
        let document = selection.data
        let config = Descriptor(mediaType: MediaType.selection, digest: selection.digest, size: document.count)
        sent.append(try await send(.data(document), config))
        let manifest = ArtifactManifest(config: config, layers: layers, annotations: provenance.annotations(rows))
        let data = try manifest.data
        // Last, so that a reference never stands for an artifact with parts missing.
        let changed = try await store.putManifest(data)
        let new = sent.filter(\.isNew)
        return Outcome(
            manifest: BlobDigest(Digest(of: data)), samples: rows.count, shards: layers.count, presentShards: present,
            sentBlobs: new.count, sentBytes: new.map(\.blob.size).reduce(0, +), changedReference: changed)
    }

    /// Whether the manifest can hold its layers' entries is known before gigabytes are sent.
    private func checkSize(_ rows: [CatalogueRow], title: String) throws(OCIError) {
        let layers = wholeShards ? Set(rows.map(\.shard)).count : SelectionPacker.groups(rows).count
        guard layers * (wholeShards ? 155 : 385) <= RegistryStore.largestManifest else {
            throw OCIError(
                .malformed, title,
                "its \(rows.count) samples make \(layers) layers, more than a manifest of 4 MiB names: "
                    + (wholeShards ? "push without --whole-shards, or " : "") + "push it in parts (select --where)")
        }
    }

    /// A blob that the store has now, and whether it had to be sent.
    private struct Sent {
        var blob: Descriptor
        var isNew: Bool
    }

    private func sendPacked(_ rows: [CatalogueRow], _ report: @Sendable (Int, Int) -> Void) async throws -> [Sent] {
        let packer = SelectionPacker(corpus)
        let groups = SelectionPacker.groups(rows)
        var layers: [Sent] = []
        for group in groups {
            let shard = try packer.pack(group)
            let range = LayerRange(group.rows.map(\.id))
            layers.append(try await send(shard, as: MediaType.shard, range))
            report(layers.count, groups.count)
        }
        return layers
    }

    /// What is known of the samples beside themselves. It is always packed: the corpus's own files are about whatever was
    /// scored or annotated together.
    private func sendScores(_ rows: [CatalogueRow]) async throws -> [Sent] {
        var layers: [Sent] = []
        for group in SelectionPacker.groups(rows) {
            let ids = group.rows.map(\.id)
            for scores in try corpus.scores(of: ids) {
                let range = LayerRange(scores.records.map(\.sample), scorer: scores.scorer.digest.hex)
                layers.append(try await send(scores.packed(), as: MediaType.scores, range))
            }
            for annotations in try corpus.annotationSets(of: ids) {
                let range = LayerRange(
                    annotations.values.map(\.sample), scorer: annotations.scorer, revision: annotations.revision)
                layers.append(try await send(annotations.packed(), as: MediaType.annotations, range))
            }
        }
        return layers
    }

    /// Vectors that came from elsewhere: those that Attune makes itself can be made again.
    private func sendVectors(_ rows: [CatalogueRow]) async throws -> [Sent] {
        var layers: [Sent] = []
        for summary in try corpus.vectorSummaries() where summary.isImported {
            let all = try corpus.vectors(named: summary.name)
            for group in SelectionPacker.groups(rows) {
                guard let set = try all.picking(group.rows.map(\.id)) else { continue }
                let range = LayerRange(
                    set.samples, scorer: set.name, revision: summary.revision, width: set.width)
                let data = try set.packed(revision: summary.revision, source: summary.source)
                layers.append(try await send(data, as: MediaType.vectors, range))
            }
        }
        return layers
    }

    private func send(_ shard: Data, as mediaType: String, _ range: LayerRange) async throws -> Sent {
        try await send(
            .data(shard),
            Descriptor(
                mediaType: mediaType, digest: Digest(of: shard), size: shard.count, annotations: range.annotations))
    }

    private func sendSealed(_ rows: [CatalogueRow], _ report: @Sendable (Int, Int) -> Void) async throws -> [Sent] {
        let digests = Set(rows.map(\.shard)).sorted()
        var layers: [Sent] = []
        for digest in digests {
            // Opening verifies the shard's bytes.
            _ = try corpus.open(digest).ids
            let file = corpus.folder.appending(path: "shards/\(digest.hex.prefix(2))/\(digest.hex).h5")
            let size = try file.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
            let layer = Descriptor(mediaType: MediaType.shard, digest: digest, size: size)
            layers.append(try await send(.file(file), layer))
            report(layers.count, digests.count)
        }
        return layers
    }

    private func send(_ content: BlobContent, _ blob: Descriptor) async throws -> Sent {
        try Task.checkCancellation()
        let isNew = try await !store.hasBlob(blob)
        if isNew { try await store.put(content, as: blob) }
        return Sent(blob: blob, isNew: isNew)
    }
}
