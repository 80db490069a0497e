package import CorpusStore
import Foundation
import Synchronization

/// A named selection of a corpus as training data.
package final class CorpusTrainingSource: TrainingSource {
    package let selectionName: String
    private let corpus: Corpus
    private let reader: SampleReader
    private let selection: Selection
    private let samples = Mutex(SampleCache())
    private let scores: SampleScores?
    /// Epochs read selections that only the run's log names, and it names them a moment after they are stored.
    private let lease: Lease
    /// One reading at a time, so that none reads what another is reading already.
    private let reading = DispatchQueue(label: "attune.training.reading")

    /// - Parameters:
    ///   - corpus: where the selection and its samples are.
    ///   - name: the name of a selection.
    ///   - weights: the scorer, or measure of MI, whose values the loss is multiplied by; nil for none.
    ///   - comparison: the one whose values compare images, for a loss that does so; nil for none.
    package init(
        corpus: Corpus, selection name: String, weights: String? = nil, comparison: String? = nil
    ) throws(CorpusError) {
        scores =
            weights.map { SampleScores($0, for: .weights, in: corpus) }
            ?? comparison.map { SampleScores($0, for: .comparison, in: corpus) }
        selectionName = name
        self.corpus = corpus
        lease = try corpus.lease()
        reader = SampleReader(corpus)
        selection = try corpus.selection(named: name)
    }

    package func initialResolution() -> SelectionResolution { SelectionResolution(selection) }

    package func resolveAgain(_ digest: Digest) throws(TrainingSourceError) -> SelectionResolution {
        let first = try stored(digest)
        return try explained { () throws(CorpusError) in
            lease.renew()
            try corpus.requireReadable(corpus.catchUp())
            let resolved = try corpus.renewed(first)
            try corpus.store(resolved)
            return SelectionResolution(resolved)
        }
    }

    package func keepsPolicy(of digest: Digest) throws(TrainingSourceError) -> Bool {
        let first = try stored(digest)
        // A list has its samples for a policy.
        return first.policy == selection.policy && (first.policy != .list || first.ids == selection.ids)
    }

    package func resolution(digest: Digest) throws(TrainingSourceError) -> SelectionResolution {
        SelectionResolution(try stored(digest))
    }

    private func stored(_ digest: Digest) throws(TrainingSourceError) -> Selection {
        try explained { () throws(CorpusError) in try corpus.selection(digest) }
    }

    package func check(_ resolution: SelectionResolution, model: String) throws(TrainingSourceError) {
        try forEachPart(of: resolution.ids) { (rows) throws(TrainingSourceError) in
            if let other = rows.first(where: { $0.model != model }) {
                throw TrainingSourceError(
                    "selection '\(selectionName)': sample \(other.id) was made with model \(other.model), not \(model); "
                        + "train the model that made it, or select by model")
            }
            if let scores {
                let values = try scores.values(rows)
                guard scores.use == .weights else { return }
                samples.withLock { $0.weights.merge(values) { $1 } }
            }
        }
    }

    package func weightsIdentity(_ resolution: SelectionResolution) throws(TrainingSourceError) -> String? {
        guard let scores else { return nil }
        var values: [Digest: Float] = [:]
        try forEachPart(of: resolution.ids) { (rows) throws(TrainingSourceError) in
            values.merge(try scores.values(rows)) { $1 }
        }
        return scores.identity(values)
    }

    package var scoreName: String? { scores?.name }

    package func describe(_ ids: [Digest]) throws(TrainingSourceError) -> [SampleDescription] {
        var described: [SampleDescription] = []
        described.reserveCapacity(ids.count)
        try forEachPart(of: ids) { (rows) throws(TrainingSourceError) in
            let values = try scores?.values(rows) ?? [:]
            described += rows.map {
                SampleDescription(id: $0.id, prompt: $0.prompt, score: values[$0.id].map(Double.init))
            }
        }
        return described
    }

    package func samples(_ ids: [Digest]) throws(TrainingSourceError) -> [TrainingSample] {
        let places = try places(ids)
        // Taken out before the next reading may drop them.
        let latents = try reading.sync { Result { () throws(TrainingSourceError) in try load(places) } }.get()
        return try places.map { place throws(TrainingSourceError) in
            guard let latent = latents[place.id] else {
                throw TrainingSourceError("sample \(place.id) could not be read; run `attune verify`")
            }
            return TrainingSample(
                id: place.id, prompt: place.prompt, latent: latent, shape: place.latentShape,
                weight: samples.withLock { $0.weights[place.id] })
        }
    }

    package func prefetch(_ ids: [Digest]) {
        reading.async { [self] in _ = try? load(places(ids)) }
    }

    /// Calls `body` with the places of some samples, a part at a time: a selection may have millions.
    private func forEachPart(
        of ids: [Digest], _ body: ([CatalogueRow]) throws(TrainingSourceError) -> Void
    ) throws(TrainingSourceError) {
        let size = 10_000
        for start in stride(from: 0, to: ids.count, by: size) {
            try body(places(Array(ids[start..<min(start + size, ids.count)])))
        }
    }

    /// Where samples lie, in the order of `ids`.
    private func places(_ ids: [Digest]) throws(TrainingSourceError) -> [CatalogueRow] {
        let (known, unknown) = samples.withLock { cache in
            (ids.map { cache.places[$0] }, ids.filter { cache.places[$0] == nil })
        }
        if unknown.isEmpty { return known.compactMap(\.self) }
        let rows = try explained { () throws(CorpusError) in try corpus.rows(unknown) }
        samples.withLock { $0.note(rows.values) }
        var places: [CatalogueRow] = []
        for (id, known) in zip(ids, known) {
            guard let place = known ?? rows[id] else {
                throw TrainingSourceError(
                    "selection '\(selectionName)': sample \(id) is not in the corpus; run `attune reindex`")
            }
            places.append(place)
        }
        return places
    }

    /// The latents of some samples by their ids, read unless they were before.
    private func load(_ places: [CatalogueRow]) throws(TrainingSourceError) -> [Digest: [Float]] {
        for (shard, wanted) in Dictionary(grouping: places, by: \.shard).sorted(by: { $0.key < $1.key }) {
            try load(wanted, from: shard, beside: places)
        }
        return samples.withLock { cache in
            Dictionary(places.compactMap { place in cache.latents[place.id].map { (place.id, $0) } }) { $1 }
        }
    }

    /// Reads latents of one shard, on all cores, and with them those of every selected sample in it, as far as memory
    /// allows: neighbors are cheap to read, and each will be asked for within the epoch.
    private func load(
        _ wanted: [CatalogueRow], from shard: Digest, beside all: [CatalogueRow]
    ) throws(TrainingSourceError) {
        let rows = samples.withLock { $0.rowsToRead(wanted, shard: shard, beside: all) }
        let latents = try explained { () throws(CorpusError) in try reader.latents(rows) }
        samples.withLock { cache in
            for (row, latent) in zip(rows, latents) { cache.latents[row.id] = latent }
        }
    }
}

/// What has been read of a selection. Its size has a limit, whatever the selection's is.
private struct SampleCache {
    /// Floats of latents to hold: 256 MiB.
    private static let capacity = 1 << 26
    /// Rows of the catalogue to hold, of about half a kilobyte each.
    private static let rowCapacity = 1 << 16

    private(set) var places: [Digest: CatalogueRow] = [:]
    /// The ids among ``places`` that each shard has.
    private var members: [Digest: [Digest]] = [:]
    var weights: [Digest: Float] = [:]
    var latents: [Digest: [Float]] = [:]

    /// Keeps rows for later, and forgets all others when there are too many.
    mutating func note(_ rows: some Collection<CatalogueRow>) {
        if places.count + rows.count > Self.rowCapacity { (places, members) = ([:], [:]) }
        for row in rows.prefix(Self.rowCapacity) where places.updateValue(row, forKey: row.id) == nil {
            members[row.shard, default: []].append(row.id)
        }
    }

    /// The rows of a shard to read now; empty when all that is wanted is there.
    ///
    /// - Parameter all: the samples that are needed at the same time, of this and other shards.
    mutating func rowsToRead(
        _ wanted: [CatalogueRow], shard: Digest, beside all: [CatalogueRow]
    ) -> [CatalogueRow] {
        let missing = wanted.filter { latents[$0.id] == nil }
        guard let size = missing.first.map({ max($0.latentShape.reduce(1, *), 1) }) else { return [] }
        let others = (members[shard] ?? []).filter { latents[$0] == nil }.compactMap { places[$0] }
        if others.count >= missing.count, (latents.count + others.count) * size <= Self.capacity {
            // What is wanted may have been forgotten as a neighbor.
            let rows = Dictionary((others + missing).map { ($0.id, $0) }) { $1 }
            return rows.values.sorted { ($0.row, $0.id) < ($1.row, $1.id) }
        }
        if (latents.count + missing.count) * size > Self.capacity {
            let inUse = Set(all.map(\.id))
            latents = latents.filter { inUse.contains($0.key) }
        }
        return missing
    }
}

extension SelectionResolution {
    fileprivate init(_ selection: Selection) {
        self.init(digest: selection.digest, ids: selection.ids)
    }
}

func explained<R>(_ body: () throws(CorpusError) -> R) throws(TrainingSourceError) -> R {
    do throws(CorpusError) { return try body() } catch { throw TrainingSourceError(error.description) }
}
