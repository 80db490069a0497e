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

    /// - Parameter monitor: watches the images whose prints have to be made; not asked where there are none.
    /// - Returns: a print of each row, in order; nil if it was stopped. What was sealed before stays.
    /// - Throws: naming the image that cannot be decoded; ``CorpusError``.
    package func prints<Monitor: WorkMonitor>(
        of rows: [CatalogueRow], monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> [ImagePrint]? {
        let stored = try storedPrints()
        var prints: [ImagePrint?] = rows.map { stored[$0.id] }
        let missing = rows.indices.filter { prints[$0] == nil }
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
                if keeps { try seal(waiting, rows, prints) }
                return nil
            }
            let places = Array(missing[start..<min(start + Self.batch, missing.count)])
            let made = try Self.make(places.map { rows[$0] }, reader)
            for (place, print) in zip(places, made) { prints[place] = print }
            waiting += places
            // Large images take long: what is lost by a kill is bounded in time, too.
            let isLate = ContinuousClock.now - last > .seconds(30)
            if waiting.count >= Self.sealed || isLate || start + places.count == missing.count {
                if keeps { try seal(waiting, rows, prints) }
                (waiting, last) = ([], .now)
            }
            watch.update(start + places.count)
        }
        return prints.compactMap(\.self)
    }

    private static func make(_ rows: [CatalogueRow], _ reader: SampleReader) throws -> [ImagePrint] {
        let files = try reader.images(rows)
        let names = rows.map(\.id.hex)
        let byName = Dictionary(zip(names, files)) { first, _ in first }
        let images = try ImageDecoding.decode(names) { byName[$0] ?? [] }
        return Parallel.map(images.count) { ImagePrint(images[$0]) }
    }

    private func storedPrints() throws -> [Digest: ImagePrint] {
        guard try corpus.vectorSummaries().contains(where: { $0.name == ImagePrint.name }) else { return [:] }
        let set = try corpus.vectors(named: ImagePrint.name)
        guard case .bytes(let bytes) = set.values, set.width == ImagePrint.width else {
            throw Failure("the vectors \(ImagePrint.name) of the corpus are not Attune's prints: update attune")
        }
        let width = set.width
        let prints = Parallel.map(set.samples.count) { ImagePrint(bytes: bytes[$0 * width..<($0 + 1) * width]) }
        return Dictionary(zip(set.samples, prints)) { first, _ in first }
    }

    private func seal(_ places: [Int], _ rows: [CatalogueRow], _ prints: [ImagePrint?]) throws {
        var (samples, bytes): ([Digest], [UInt8]) = ([], [])
        var seen: Set<Digest> = []
        for place in places {
            guard let print = prints[place], seen.insert(rows[place].id).inserted else { continue }
            samples.append(rows[place].id)
            bytes += print.bytes
        }
        guard !samples.isEmpty else { return }
        try corpus.add(
            VectorSet(name: ImagePrint.name, width: ImagePrint.width, samples: samples, values: .bytes(bytes)),
            from: "attune")
    }
}
