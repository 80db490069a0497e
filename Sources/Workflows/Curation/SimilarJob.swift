package import CorpusStore
import Curation
import DiskAccess
import Foundation
import Images
import Tensors

/// What `attune similar` does: the samples of a corpus that are most like one of them, or like an image file.
package struct SimilarJob: Sendable {
    /// A sample's id, its first digits, or an image file.
    package let target: String
    package var condition: String?
    package var method = Nearness.Method.images
    package var top = 20

    package init(_ target: String) { self.target = target }

    /// One found sample.
    package struct Match: Encodable {
        package let id: Digest
        package let prompt: String
        package let distance: Double
    }

    /// - Returns: the nearest first, without the sample itself; nil if it was stopped.
    package func run<Monitor: WorkMonitor>(
        in corpus: Corpus, monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> [Match]? {
        let rows = try corpus.query(CatalogueQuery(condition: condition))
        guard !rows.isEmpty else { throw Failure("no sample fits: see what there is with attune query") }
        let isFile = try Disk.exists(target)
        let own = isFile ? nil : try sample(corpus)
        let distances: [Float]
        switch method {
        case .images:
            let image = try isFile ? file() : nil
            var asked = rows
            if let own { asked.append(own) }
            guard let prints = try PrintStore(corpus).prints(of: asked.map(\.id), monitor: monitor) else { return nil }
            guard let print = image.map({ ImagePrint($0) }) ?? prints.last else { throw notFound }
            distances = Self.distances(PrintComparison(print), Array(prints.prefix(rows.count)), top: top)
        case .vectors(let name):
            guard let own else {
                throw Failure("\(target): a file is compared by its image only: leave --by out, or give a sample's id")
            }
            guard let vectors = try VectorStore(corpus).vectors(of: rows + [own], named: name, monitor: monitor) else {
                return nil
            }
            distances = vectors.cosines(to: rows.count).prefix(rows.count).map { max(1 - $0, 0) }
        }
        let order = rows.indices.filter { rows[$0].id != own?.id }
            .sorted { (distances[$0], rows[$0].id) < (distances[$1], rows[$1].id) }
        return order.prefix(top).map {
            Match(id: rows[$0].id, prompt: rows[$0].prompt, distance: Double(distances[$0]))
        }
    }

    private var notFound: Failure { Failure("\(target): is neither an image file nor the id of a sample") }

    private func sample(_ corpus: Corpus) throws -> CatalogueRow {
        guard target.count >= 6, target.count <= 64, target.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) else {
            throw notFound
        }
        let found = try corpus.query(CatalogueQuery(condition: "id LIKE '\(target)%'"))
        guard let row = found.first else { throw notFound }
        guard found.count == 1 else { throw Failure("\(target): \(found.count) samples begin so: give more digits") }
        return row
    }

    private func file() throws -> RGBImage {
        let path = target
        return try ImageDecoding.decode([path]) { try Array(Disk.read($0)) }[0]
    }

    /// Distances of which the smallest are exact: only those are compared under crops too.
    private static func distances(_ own: PrintComparison, _ prints: [ImagePrint], top: Int) -> [Float] {
        var distances = Parallel.map(prints.count) { own.quickDistance(to: PrintComparison(prints[$0])) }
        let near = distances.indices.sorted { distances[$0] < distances[$1] }.prefix(max(10 * top, 1000))
        let exact = Parallel.map(near.count) { own.distance(to: PrintComparison(prints[near[$0]])) }
        for (place, distance) in zip(near, exact) { distances[place] = distance }
        return distances
    }
}
