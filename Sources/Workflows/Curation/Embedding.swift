package import CorpusStore
import Curation
import Foundation
import Tensors

/// Where samples lie in a plane: vectors along their two principal components, or coordinates that were imported.
package struct Embedding: Sendable, Equatable {
    /// What is along an axis.
    package struct Axis: Codable, Sendable, Equatable {
        package let name: String
        /// Of the vectors' variance, 0…1; nil for imported coordinates.
        package let share: Double?
    }

    /// Of the vectors.
    package let name: String
    package let axes: [Axis]
    package let samples: [Digest]
    /// x and y of each sample.
    package let points: [Float]

    package init(name: String, axes: [Axis], samples: [Digest], points: [Float]) {
        (self.name, self.axes, self.samples, self.points) = (name, axes, samples, points)
    }
}

/// Places the samples of a corpus in a plane.
package struct EmbeddingJob: Sendable {
    /// Vectors; ``VectorStore/latents`` for those of the latents, which are read where none are stored. Nothing is stored.
    package let name: String

    package init(_ name: String) { self.name = name }

    /// Names of the vectors that there are, with how many numbers each has; those of latents last.
    package static func names(_ corpus: Corpus) throws -> [(name: String, width: Int)] {
        let stored = try corpus.vectorSummaries().filter { $0.element == "float32" && $0.name != VectorStore.latents }
        return stored.map { (name: $0.name, width: $0.width) } + [(name: VectorStore.latents, width: 0)]
    }

    /// What the result follows from: it is to be made again when this changes.
    package func source(_ corpus: Corpus) throws -> Digest {
        var digests = try corpus.vectorSummaries().contains { $0.name == name } ? corpus.vectorDigests(named: name) : []
        if name == VectorStore.latents { digests += try corpus.sampleShards() }
        return Digest(of: Array("embedding 1 \(name) ".utf8) + digests.flatMap(\.raw))
    }

    /// - Returns: nil if it was stopped.
    /// - Throws: ``CorpusError`` for vectors that are not there; ``CurationError`` for values that are no numbers;
    ///   ``Failure`` where no sample has one.
    package func run(in corpus: Corpus, monitor: some WorkMonitor) throws -> Embedding? {
        do {
            let source = try VectorSource(name, corpus)
            guard let width = source.width else {
                throw Failure(
                    "no sample has a latent or a vector \(name): import vectors with attune annotate --vectors, or "
                        + "generate samples")
            }
            monitor.begin(total: source.count)
            return width == 2 ? try taken(source, monitor) : try projected(source, width, monitor)
        } catch is CancellationError {
            return nil
        }
    }

    /// Vectors of two numbers are places already.
    private func taken(_ source: VectorSource, _ monitor: some WorkMonitor) throws -> Embedding {
        var table = PointTable()
        try source.forEach { samples, values in
            if monitor.isCancelled { throw CancellationError() }
            table.add(samples, values)
            monitor.update(table.samples.count)
        }
        return Embedding(
            name: name, axes: [1, 2].map { Embedding.Axis(name: "\(name) \($0)", share: nil) }, samples: table.samples,
            points: table.points)
    }

    private func projected(_ source: VectorSource, _ width: Int, _ monitor: some WorkMonitor) throws -> Embedding {
        let most = PrincipalComponents.sampled(width: width)
        let components = try PrincipalComponents(
            source.sampled(most, isCancelled: { monitor.isCancelled }), width: width, source: name)
        var table = PointTable()
        try source.forEach { samples, values in
            if monitor.isCancelled { throw CancellationError() }
            table.add(samples, components.project(values))
            monitor.update(table.samples.count)
        }
        return Embedding(
            name: name,
            axes: zip(["first", "second"], components.shares).map {
                Embedding.Axis(name: "\($0) principal component of \(name)", share: $1)
            }, samples: table.samples, points: table.points)
    }
}

/// Points of samples; of one that comes twice the later.
private struct PointTable {
    private(set) var samples: [Digest] = []
    private(set) var points: [Float] = []
    private var places: [Digest: Int] = [:]

    mutating func add(_ samples: [Digest], _ values: [Float]) {
        for (index, sample) in samples.enumerated() {
            if let place = places[sample] {
                (points[2 * place], points[2 * place + 1]) = (values[2 * index], values[2 * index + 1])
            } else {
                places[sample] = self.samples.count
                self.samples.append(sample)
                points += values[2 * index..<2 * index + 2]
            }
        }
    }
}

/// Vectors as they come from the disk, a part at a time.
private struct VectorSource {
    let name: String
    let corpus: Corpus
    /// Nil where there are none.
    let width: Int?
    /// Vectors, or more.
    let count: Int
    /// Samples whose latents are to be read.
    private let unread: [Digest]
    private let isStored: Bool

    private static let batch = 1024

    init(_ name: String, _ corpus: Corpus) throws {
        (self.name, self.corpus) = (name, corpus)
        let stored = try corpus.vectorSummaries().first { $0.name == name }
        if let stored, stored.element != "float32" {
            throw Failure("the vectors \(name) are bytes, which samples cannot be placed by: choose others")
        }
        isStored = stored != nil
        guard name == VectorStore.latents else {
            // Where it is missing, this says what there is.
            if stored == nil { _ = try corpus.vectorDigests(named: name) }
            (unread, width, count) = ([], stored?.width, stored?.vectors ?? 0)
            return
        }
        var known: Set<Digest> = []
        if stored != nil { try corpus.forEachVectors(named: name) { known.formUnion($0.samples) } }
        unread = try corpus.ids(CatalogueQuery()).filter { !known.contains($0) }
        count = known.count + unread.count
        width = try stored?.width ?? Self.usualWidth(unread, corpus)
    }

    /// What most latents give, by a regular choice of them: models differ in channels.
    private static func usualWidth(_ ids: [Digest], _ corpus: Corpus) throws -> Int? {
        let chosen = stride(from: 0, to: ids.count, by: max(1, ids.count / 500)).map { ids[$0] }
        var counts: [Int: Int] = [:]
        for row in try corpus.rows(chosen).values where row.latentShape.count == 3 {
            counts[row.latentShape[0], default: 0] += 1
        }
        let most = counts.max { ($0.value, $1.key) < ($1.value, $0.key) }
        return most.map { VectorStore.latentWidth(channels: $0.key) }
    }

    /// - Parameter body: given samples and their vectors.
    func forEach(_ body: ([Digest], [Float]) throws -> Void) throws {
        if isStored {
            try corpus.forEachVectors(named: name) { set in
                guard case .floats(let values) = set.values else { return }
                try body(set.samples, values)
            }
        }
        let reader = SampleReader(corpus)
        for start in stride(from: 0, to: unread.count, by: Self.batch) {
            let (samples, values) = try latents(unread[start..<min(start + Self.batch, unread.count)], reader)
            try body(samples, values)
        }
    }

    /// Vectors of so many samples at most, regularly chosen.
    func sampled(_ most: Int, isCancelled: () -> Bool) throws -> [Float] {
        guard let width else { return [] }
        let step = max(1, (count + most - 1) / most)
        var picked: [Float] = []
        if isStored {
            try corpus.forEachVectors(named: name) { set in
                if isCancelled() { throw CancellationError() }
                guard case .floats(let values) = set.values else { return }
                for row in stride(from: 0, to: set.samples.count, by: step) {
                    picked += values[row * width..<(row + 1) * width]
                }
            }
        }
        let reader = SampleReader(corpus)
        let chosen = stride(from: 0, to: unread.count, by: step).map { unread[$0] }
        for start in stride(from: 0, to: chosen.count, by: Self.batch) {
            if isCancelled() { throw CancellationError() }
            picked += try latents(chosen[start..<min(start + Self.batch, chosen.count)], reader).values
        }
        return picked
    }

    /// Of the samples that have a latent of the usual width.
    private func latents(
        _ ids: ArraySlice<Digest>, _ reader: SampleReader
    ) throws -> (samples: [Digest], values: [Float]) {
        let found = try corpus.rows(Array(ids))
        let rows = ids.compactMap { found[$0] }.filter { row in
            row.latentShape.count == 3 && VectorStore.latentWidth(channels: row.latentShape[0]) == width
        }
        var (samples, values): ([Digest], [Float]) = ([], [])
        func take(_ rows: [CatalogueRow]) throws {
            for (row, latent) in zip(rows, try reader.latents(rows)) {
                let vector = cellMeans(Tensor(shape: row.latentShape, values: latent), grid: VectorStore.grid).values
                guard vector.allSatisfy(\.isFinite) else { continue }
                samples.append(row.id)
                values += vector
            }
        }
        func isLost(_ error: CorpusError) -> Bool { error.code == .damaged || error.code == .notFound }
        do { try take(rows) } catch let error as CorpusError where isLost(error) {
            // A shard that is damaged must not take the others with it; verify tells of it.
            for own in Dictionary(grouping: rows, by: \.shard).values {
                do { try take(own) } catch let error as CorpusError where isLost(error) {}
            }
        }
        return (samples, values)
    }
}
