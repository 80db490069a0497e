package import Corpus
import Foundation
import Synchronization

/// A named selection of a corpus as training data.
package final class CorpusTrainingSource: TrainingSource {
    package let selectionName: String
    private let corpus: Corpus
    private let reader: SampleReader
    private let selection: Selection
    private let samples = Mutex(SampleCache())
    private let weights: SampleWeights?
    /// Epochs read selections that only the run's log names, and it names them a moment after they are stored.
    private let lease: Lease
    /// One reading at a time, so that none reads what another is reading already.
    private let reading = DispatchQueue(label: "attune.training.reading")

    /// - Parameters:
    ///   - selection: the name of a selection.
    ///   - weights: the scorer, or measure of MI, whose values the loss is multiplied by.
    package init(corpus: Corpus, selection name: String, weights: String? = nil) throws(CorpusError) {
        self.weights = weights.map { SampleWeights($0, in: corpus) }
        selectionName = name
        self.corpus = corpus
        lease = try corpus.lease()
        reader = SampleReader(corpus)
        selection = try corpus.selection(named: name)
    }

    package func initialResolution() -> SelectionResolution { SelectionResolution(selection) }

    package func resolveAgain() throws(TrainingSourceError) -> SelectionResolution {
        try explained { () throws(CorpusError) in
            lease.renew()
            try corpus.requireReadable(corpus.catchUp())
            let resolved = try corpus.renewed(selection)
            try corpus.store(resolved)
            return SelectionResolution(resolved)
        }
    }

    package func resolution(digest: String) throws(TrainingSourceError) -> SelectionResolution {
        guard let digest = Digest(hex: digest) else { throw TrainingSourceError("'\(digest)' is not a digest") }
        return try explained { () throws(CorpusError) in SelectionResolution(try corpus.selection(digest)) }
    }

    package func check(_ resolution: SelectionResolution, model: String) throws(TrainingSourceError) {
        let places = try places(resolution.ids)
        if let other = places.first(where: { $0.model != model }) {
            throw TrainingSourceError(
                "selection '\(selectionName)': sample \(other.id) was made with model \(other.model), not \(model); "
                    + "train the model that made it, or select by model")
        }
        if let weights {
            let values = try weights.values(places)
            samples.withLock { $0.weights.merge(values) { $1 } }
        }
    }

    package func weightsIdentity(_ resolution: SelectionResolution) throws(TrainingSourceError) -> String? {
        guard let weights else { return nil }
        return try weights.identity(places(resolution.ids))
    }

    package func samples(_ ids: [String]) throws(TrainingSourceError) -> [TrainingSample] {
        let places = try places(ids)
        try reading.sync { Result { () throws(TrainingSourceError) in try load(places) } }.get()
        return try places.map { place throws(TrainingSourceError) in
            guard let latent = samples.withLock({ $0.latents[place.id] }) else {
                throw TrainingSourceError("sample \(place.id) could not be read; run `attune verify`")
            }
            return TrainingSample(
                id: place.id, prompt: place.prompt, latent: latent, shape: place.latentShape,
                weight: samples.withLock { $0.weights[place.id] })
        }
    }

    package func prefetch(_ ids: [String]) {
        reading.async { [self] in try? load(places(ids)) }
    }

    /// Where samples lie, in the order of `ids`.
    private func places(_ ids: [String]) throws(TrainingSourceError) -> [CatalogueRow] {
        let unknown = samples.withLock { cache in ids.filter { cache.places[$0] == nil } }
        let rows = try explained { () throws(CorpusError) in try corpus.rows(unknown.compactMap { Digest(hex: $0) }) }
        samples.withLock { cache in for row in rows.values { cache.places[row.id] = row } }
        return try samples.withLock { cache throws(TrainingSourceError) in
            try ids.map { id throws(TrainingSourceError) in
                guard let place = cache.places[id] else {
                    throw TrainingSourceError(
                        "selection '\(selectionName)': sample \(id) is not in the corpus; run `attune reindex`")
                }
                return place
            }
        }
    }

    private func load(_ places: [CatalogueRow]) throws(TrainingSourceError) {
        for (shard, wanted) in Dictionary(grouping: places, by: \.shard).sorted(by: { $0.key < $1.key }) {
            try load(wanted, from: shard)
        }
    }

    /// Reads latents of one shard, on all cores, and with them those of every selected sample in it, as far as memory
    /// allows: neighbours are cheap to read, and each will be asked for within the epoch.
    private func load(_ wanted: [CatalogueRow], from shard: String) throws(TrainingSourceError) {
        let rows = samples.withLock { $0.rowsToRead(wanted, shard: shard) }
        let latents = try explained { () throws(CorpusError) in try reader.latents(rows) }
        samples.withLock { cache in
            for (row, latent) in zip(rows, latents) { cache.latents[row.id] = latent }
        }
    }
}

/// What has been read of a selection.
private struct SampleCache {
    /// Floats of latents to hold: 1 GiB.
    static let capacity = 1 << 28

    var places: [String: CatalogueRow] = [:]
    var weights: [String: Float] = [:]
    var latents: [String: [Float]] = [:]

    /// The rows of a shard to read now; empty when all that is wanted is there.
    mutating func rowsToRead(_ wanted: [CatalogueRow], shard: String) -> [CatalogueRow] {
        let missing = wanted.filter { latents[$0.id] == nil }
        guard let size = missing.first.map({ max($0.latentShape.reduce(1, *), 1) }) else { return [] }
        let others = places.values.filter { $0.shard == shard && latents[$0.id] == nil }
        if (latents.count + others.count) * size <= Self.capacity { return others.sorted { $0.row < $1.row } }
        if (latents.count + missing.count) * size > Self.capacity {
            let inUse = Set(wanted.map(\.id))
            latents = latents.filter { inUse.contains($0.key) }
        }
        return missing
    }
}

extension SelectionResolution {
    fileprivate init(_ selection: Selection) {
        self.init(digest: selection.digest.hex, ids: selection.ids.map(\.hex))
    }
}

func explained<R>(_ body: () throws(CorpusError) -> R) throws(TrainingSourceError) -> R {
    do throws(CorpusError) { return try body() } catch { throw TrainingSourceError(error.description) }
}
