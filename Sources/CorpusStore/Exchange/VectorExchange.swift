import HDF5
package import Foundation

extension VectorSummary {
    /// Vectors that Attune makes of images and latents whenever they are needed: they do not travel.
    private static let derived: Set = ["prints", "prints2", "latents"]

    /// Whether the vectors came from elsewhere and cannot be made again from the samples.
    package var isImported: Bool { !Self.derived.contains(name) }
}

extension VectorSet {
    /// The vectors of some samples, in order of their ids; nil where none has one.
    package func picking(_ wanted: [Digest]) throws(CorpusError) -> VectorSet? {
        let found = zip(wanted, rows(of: wanted)).compactMap { sample, row in row.map { (sample: sample, row: $0) } }
            .sorted { $0.sample < $1.sample }
        guard !found.isEmpty else { return nil }
        func kept<T>(_ all: [T]) -> [T] { found.flatMap { all[$0.row * width..<($0.row + 1) * width] } }
        let values: Values =
            switch values {
            case .floats(let all): .floats(kept(all))
            case .bytes(let all): .bytes(kept(all))
            }
        return try VectorSet(name: name, width: width, samples: found.map(\.sample), values: values)
    }

    /// The bytes of a sealed file of them: the same vectors give the same bytes.
    package func packed(revision: Int, source: String) throws(CorpusError) -> Data {
        Data(try VectorShard.encoded(self, revision: revision, source: source).bytes)
    }

    /// Seals a file of them in a folder that is no corpus.
    package func write(revision: Int, source: String, to folder: URL, files: AtomicFiles) throws(CorpusError) {
        _ = try SealedFile.write(
            VectorShard.encoded(self, revision: revision, source: source), to: folder, files: files)
    }
}

extension Corpus {
    /// Whether a file of vectors can change what is known of some samples: one of them has none of this name, or those
    /// that it has are of an earlier revision.
    package func lacksVectors(of samples: [Digest], named name: String, revision: Int) throws(CorpusError) -> Bool {
        guard let present = try vectorSummaries().first(where: { $0.name == name }), present.revision >= revision else {
            return true
        }
        return try vectors(named: name).rows(of: samples).contains(nil)
    }

    /// Refuses vectors of another kind than those of the same name: they would take the place of all of them.
    func requireSameKind(_ shard: VectorShard) throws(CorpusError) {
        guard let present = try vectorSummaries().first(where: { $0.name == shard.head.name }) else { return }
        guard present.width == shard.head.width, present.element == shard.head.element else {
            throw CorpusError(
                .badQuery, shard.head.name,
                "has vectors of \(shard.head.width) values (\(shard.head.element)) there and of \(present.width) "
                    + "(\(present.element)) here: take them into a corpus of their own")
        }
    }

    /// The vectors in a sealed file from elsewhere; nil for one that holds something else.
    package static func vectors(
        in file: URL, digest: Digest
    ) throws(CorpusError) -> (set: VectorSet, source: String)? {
        guard case .vectors(let shard) = try SealedContents(SealedFile(file, digest: digest)) else { return nil }
        return (try shard.set(), shard.head.source)
    }
}

extension VectorSet {
    /// Samples whose vectors another set lacks, or has with other values.
    package func samples(notIn other: VectorSet?) -> [Digest] {
        guard let other, other.width == width else { return samples }
        let places = other.rows(of: samples)
        return samples.indices.filter { row in
            guard let place = places[row] else { return true }
            let (own, theirs) = (row * width..<(row + 1) * width, place * width..<(place + 1) * width)
            switch (values, other.values) {
            case (.floats(let a), .floats(let b)): return !a[own].elementsEqual(b[theirs])
            case (.bytes(let a), .bytes(let b)): return !a[own].elementsEqual(b[theirs])
            default: return true
            }
        }.map { samples[$0] }
    }
}
