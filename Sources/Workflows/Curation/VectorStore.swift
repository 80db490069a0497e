package import CorpusStore
package import Curation
import Tensors

/// Vectors of a corpus's samples: imported ones, or those that its latents give.
package struct VectorStore {
    private let corpus: Corpus

    /// What latents' own vectors are called.
    package static let latents = "latents"
    static let grid = 8
    private static let (batch, sealed) = (256, 8192)

    package init(_ corpus: Corpus) { self.corpus = corpus }

    /// Numbers of a vector that is made of a latent of so many channels.
    static func latentWidth(channels: Int) -> Int { channels * grid * grid }

    /// The vectors that are meant where no name is given: the only imported ones, or those of the latents.
    package func defaultName() throws -> String {
        let imported = try corpus.vectorSummaries().filter { $0.element == "float32" && $0.name != Self.latents }.map(
            \.name)
        guard imported.count > 1 else { return imported.first ?? Self.latents }
        throw Failure("the corpus has the vectors \(imported.joined(separator: ", ")): say which with --vectors NAME")
    }

    /// - Parameters:
    ///   - rows: the samples.
    ///   - name: of the vectors; nil for ``defaultName()``.
    ///   - monitor: watches the latents that have to be read.
    /// - Returns: centered vectors of length 1, one for each row in order; nil if it was stopped.
    /// - Throws: ``Failure`` naming a sample without a vector; ``CorpusError``.
    package func vectors<Monitor: WorkMonitor>(
        of rows: [CatalogueRow], named name: String?, monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> UnitVectors? {
        let name = try name ?? defaultName()
        if name == Self.latents, try !makeLatentVectors(rows, monitor) { return nil }
        let set = try corpus.vectors(named: name)
        guard case .floats(let values) = set.values else {
            throw Failure("the vectors \(name) are bytes, which samples cannot be placed by: choose others")
        }
        let places = set.rows(of: rows.map(\.id))
        var picked: [Float] = []
        picked.reserveCapacity(rows.count * set.width)
        for (row, place) in zip(rows, places) {
            guard let place else {
                let missing = places.count { $0 == nil }
                throw Failure(
                    "\(missing) of \(rows.count) samples have no vector \(name), such as \(row.id): make and import them "
                        + "(attune features, attune annotate --vectors), or leave these samples out with --where")
            }
            picked += values[place * set.width..<(place + 1) * set.width]
        }
        return try UnitVectors(picked, width: set.width, isCentered: true, source: name)
    }

    /// Makes and stores the vectors of latents that have none: each channel averaged over a grid of 8×8.
    ///
    /// - Returns: false if it was stopped.
    private func makeLatentVectors<Monitor: WorkMonitor>(
        _ rows: [CatalogueRow], _ monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> Bool {
        let known = try corpus.vectorSummaries().contains { $0.name == Self.latents }
        let present = known ? Set(try corpus.vectors(named: Self.latents).samples) : []
        // A sample may be asked for twice.
        var seen = present
        let missing = rows.filter { seen.insert($0.id).inserted }
        guard !missing.isEmpty else { return true }
        if let row = missing.first(where: { $0.latentShape.count != 3 }) {
            throw Failure(
                "sample \(row.id) has no latent to take a vector from: import vectors with attune annotate --vectors, or "
                    + "images with a model's VAE")
        }
        try corpus.requireWritable()
        let watch = monitor("latents", "samples")
        watch.begin(total: missing.count)
        let reader = SampleReader(corpus)
        var (samples, values): ([Digest], [Float]) = ([], [])
        func seal() throws {
            guard !samples.isEmpty else { return }
            try corpus.add(
                VectorSet(
                    name: Self.latents, width: values.count / samples.count, samples: samples,
                    values: .floats(values)),
                from: "attune")
            (samples, values) = ([], [])
        }
        for start in stride(from: 0, to: missing.count, by: Self.batch) {
            if watch.isCancelled {
                // What is done is kept.
                try seal()
                return false
            }
            let part = Array(missing[start..<min(start + Self.batch, missing.count)])
            for (row, latent) in zip(part, try reader.latents(part)) {
                samples.append(row.id)
                values += cellMeans(Tensor(shape: row.latentShape, values: latent), grid: Self.grid).values
            }
            if samples.count >= Self.sealed || start + part.count == missing.count { try seal() }
            watch.update(start + part.count)
        }
        return true
    }
}
