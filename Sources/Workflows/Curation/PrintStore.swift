package import CorpusStore
package import Curation
import Images
import Tensors

/// Prints of a corpus's images: those that are stored, and the rest made and stored.
package struct PrintStore {
    private let corpus: Corpus
    /// Images that are decoded at one time, and prints that are sealed together.
    private static let (batch, sealed) = (64, 4096)

    private let keepsNew: Bool

    /// - Parameter keepsNew: whether prints that had to be made are stored.
    package init(_ corpus: Corpus, keepsNew: Bool = true) { (self.corpus, self.keepsNew) = (corpus, keepsNew) }

    /// - Parameters:
    ///   - samples: of the corpus; one may come twice.
    ///   - monitor: watches the images whose prints have to be made; not asked where there are none.
    /// - Returns: a print of each sample, in order; nil if it was stopped. What was sealed before stays.
    /// - Throws: naming the image that cannot be decoded, and a sample that is not there; ``CorpusError``.
    package func prints<Monitor: WorkMonitor>(
        of samples: [Digest], monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> [ImagePrint]? {
        var prints = try storedPrints(samples)
        let missing = samples.indices.filter { prints[$0] == nil }
        guard !missing.isEmpty else { return prints.compactMap(\.self) }
        let watch = monitor("prints", "images")
        watch.begin(total: missing.count)
        let reader = SampleReader(corpus)
        // A corpus that may only be read gets its prints made each time.
        let keeps = keepsNew && (try? corpus.requireWritable()) != nil
        var waiting: [Int] = []
        var last = ContinuousClock.now
        for start in stride(from: 0, to: missing.count, by: Self.batch) {
            if watch.isCancelled {
                if keeps { try seal(waiting, samples, prints) }
                return nil
            }
            let places = Array(missing[start..<min(start + Self.batch, missing.count)])
            let made = try make(places.map { samples[$0] }, reader)
            for (place, print) in zip(places, made) { prints[place] = print }
            waiting += places
            // Large images take long: what is lost by a kill is bounded in time, too.
            let isLate = ContinuousClock.now - last > .seconds(30)
            if waiting.count >= Self.sealed || isLate || start + places.count == missing.count {
                if keeps { try seal(waiting, samples, prints) }
                (waiting, last) = ([], .now)
            }
            watch.update(start + places.count)
        }
        return prints.compactMap(\.self)
    }

    /// Rows are looked up here, a batch at a time: of many samples they would take more memory than their prints.
    private func make(_ samples: [Digest], _ reader: SampleReader) throws -> [ImagePrint] {
        let found = try corpus.rows(samples)
        let rows = try samples.map { sample in
            guard let row = found[sample] else { throw Failure("sample \(sample): is no longer in the corpus") }
            return row
        }
        let files = try reader.images(rows)
        let names = samples.map(\.hex)
        let byName = Dictionary(zip(names, files)) { first, _ in first }
        let images = try ImageDecoding.decode(names) { byName[$0] ?? [] }
        return Parallel.map(images.count) { ImagePrint(images[$0]) }
    }

    /// The stored print of each sample, nil where there is none.
    private func storedPrints(_ samples: [Digest]) throws -> [ImagePrint?] {
        var prints = [ImagePrint?](repeating: nil, count: samples.count)
        guard try corpus.vectorSummaries().contains(where: { $0.name == ImagePrint.name }) else { return prints }
        var places: [Digest: [Int]] = [:]
        places.reserveCapacity(samples.count)
        for (place, sample) in samples.enumerated() { places[sample, default: []].append(place) }
        // Of a sample that has several, the last.
        try corpus.forEachVectors(named: ImagePrint.name) { set in
            guard case .bytes(let bytes) = set.values, set.width == ImagePrint.width else {
                throw Failure("the vectors \(ImagePrint.name) of the corpus are not Attune's prints: update attune")
            }
            for (row, sample) in set.samples.enumerated() {
                guard let wanted = places[sample] else { continue }
                let print = ImagePrint(bytes: bytes[row * set.width..<(row + 1) * set.width])
                for place in wanted { prints[place] = print }
            }
        }
        return prints
    }

    private func seal(_ places: [Int], _ all: [Digest], _ prints: [ImagePrint?]) throws {
        var (samples, bytes): ([Digest], [UInt8]) = ([], [])
        var seen: Set<Digest> = []
        for place in places {
            guard let print = prints[place], seen.insert(all[place]).inserted else { continue }
            samples.append(all[place])
            bytes += print.bytes
        }
        guard !samples.isEmpty else { return }
        try corpus.add(
            VectorSet(name: ImagePrint.name, width: ImagePrint.width, samples: samples, values: .bytes(bytes)),
            from: "attune")
    }
}
