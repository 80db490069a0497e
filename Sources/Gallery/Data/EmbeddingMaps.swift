package import CorpusStore
import DiskAccess
package import Foundation
package import Workflows

/// Maps of the corpus's samples, made in the background when somebody first looks, and kept on the disk.
package final class EmbeddingMaps: Sendable {
    package struct Key: Hashable, Sendable {
        let name: String
        /// What the map is made of.
        let source: Digest
    }

    private let corpus: Corpus
    private let folder: URL?
    private let files: AtomicFiles?
    private let work = BackgroundWork<Key, EmbeddingMap>(most: 3)

    /// - Parameter folder: where maps are kept; nil to make them after each start.
    package init(_ corpus: Corpus, folder: URL?) {
        (self.corpus, self.folder) = (corpus, folder)
        files = folder.map { AtomicFiles(temporaryFolder: $0.appending(path: "tmp")) }
    }

    /// A map, or how far it is.
    ///
    /// - Parameters:
    ///   - name: of vectors.
    ///   - patience: seconds that are waited for it.
    /// - Throws: ``Refusal`` for vectors that are not there.
    package func map(_ name: String, patience: Double = 1.5) throws -> BackgroundWork<Key, EmbeddingMap>.State {
        let names = try EmbeddingJob.names(corpus).map(\.name)
        guard names.contains(name) else {
            throw Refusal.missing(
                "there are no vectors '\(name.prefix(80))'; there are \(names.joined(separator: ", "))")
        }
        let source = try EmbeddingJob(name).source(corpus)
        return work.state(Key(name: name, source: source), patience: patience) { [self] progress in
            if let kept = kept(name, source) { return EmbeddingMap(kept, source: source) }
            guard let made = try EmbeddingJob(name).run(in: corpus, monitor: progress) else { return nil }
            keep(made, source)
            return EmbeddingMap(made, source: source)
        }
    }

    // MARK: - On the disk

    private struct Head: Codable {
        var source: String
        var name: String
        var axes: [Embedding.Axis]
        var count: Int
    }

    private func place(_ name: String) -> URL? {
        // A name has letters that a file's may not.
        folder?.appending(path: "\(Digest(of: Array(name.utf8)).hex.prefix(32)).map")
    }

    private func kept(_ name: String, _ source: Digest) -> Embedding? {
        guard let place = place(name), let data = try? Disk.readIfPresent(place.path),
            let end = data.firstIndex(of: UInt8(ascii: "\n")),
            let head = try? JSONDecoder().decode(Head.self, from: data[data.startIndex..<end]),
            head.source == source.hex, head.name == name, head.axes.count == 2, head.count >= 0
        else { return nil }
        let body = data[(end + 1)...]
        guard body.count == head.count * 40 else { return nil }
        let bytes = [UInt8](body)
        let samples = (0..<head.count).map { Digest(raw: bytes[32 * $0..<32 * $0 + 32]) }
        let points = bytes[(32 * head.count)...].withUnsafeBytes { raw in
            (0..<2 * head.count).map {
                Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
        guard points.allSatisfy(\.isFinite) else { return nil }
        return Embedding(name: name, axes: head.axes, samples: samples, points: points)
    }

    private func keep(_ embedding: Embedding, _ source: Digest) {
        guard let place = place(embedding.name), let files else { return }
        let head = Head(
            source: source.hex, name: embedding.name, axes: embedding.axes, count: embedding.samples.count)
        guard var data = try? JSONEncoder().encode(head) else { return }
        data.append(UInt8(ascii: "\n"))
        for sample in embedding.samples { data.append(contentsOf: sample.raw) }
        data.append(contentsOf: EmbeddingMap.bytes(embedding.points))
        // A cache that takes nothing more is no reason to show nothing.
        try? files.write(data, to: place)
    }
}

/// A map that samples can be looked up in.
package struct EmbeddingMap: Sendable {
    package let embedding: Embedding
    /// What it was made of.
    package let source: Digest
    private let places: [Digest: Int32]

    init(_ embedding: Embedding, source: Digest) {
        (self.embedding, self.source) = (embedding, source)
        places = Dictionary(
            zip(embedding.samples, (0..<Int32(clamping: embedding.samples.count)))
        ) { first, _ in first }
    }

    /// Where a sample is; nil for one without a vector.
    package func point(_ sample: Digest) -> (x: Float, y: Float)? {
        places[sample].map { (embedding.points[2 * Int($0)], embedding.points[2 * Int($0) + 1]) }
    }

    /// The samples inside of an area.
    package func samples(in lasso: Lasso) -> [Digest] {
        embedding.samples.indices.filter {
            lasso.contains(embedding.points[2 * $0], embedding.points[2 * $0 + 1])
        }.map { embedding.samples[$0] }
    }

    /// Numbers as they lie in files and answers: little-endian, 32 bits.
    static func bytes(_ values: [Float]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(4 * values.count)
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { out.append(contentsOf: $0) } }
        return out
    }
}
