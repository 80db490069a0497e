import CorpusStore
import DiskAccess
import Foundation
import TestSupport
import Testing
import Workflows

/// Listings that are written as their rows come.
@Suite struct SampleListingsTests {
    private struct Listed: Decodable {
        let id: String
        let seed: UInt64
    }

    private func list(_ corpus: Corpus, columns: String?) throws -> String {
        let written = Written()
        try SampleListings.list(
            CatalogueQuery(), of: corpus, columns: columns, isJSON: columns == nil,
            write: { written.text += $0 })
        return written.text
    }

    private final class Written { var text = "" }

    @Test func jsonIsOneArrayOverManyBatches() throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("corpus")
        #expect(try list(corpus, columns: nil) == "[]\n")
        // More than the first batch of 200.
        try Made.fill(corpus, count: 208, side: 8)
        let text = try list(corpus, columns: nil)
        let samples = try JSONDecoder().decode([Listed].self, from: Data(text.utf8))
        #expect(Set(samples.map(\.id)).count == 208)
        #expect(try list(corpus, columns: "seed,tag").split(separator: "\n").count == 209)
    }

    @Test func jsonHasTheColumnsThatAreNamed() throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("corpus")
        try Made.fill(corpus, count: 8, side: 8)
        let rows = try corpus.query(CatalogueQuery())
        try corpus.annotate([AnnotationValue(sample: rows[0].id, value: 0.5)], by: "beauty", from: "test")
        func keys(_ columns: String?) throws -> [Set<String>] {
            let written = Written()
            try SampleListings.list(
                CatalogueQuery(), of: corpus, columns: columns, isJSON: true, write: { written.text += $0 })
            let list = try JSONSerialization.jsonObject(with: Data(written.text.utf8)) as? [[String: Any]]
            return try #require(list).map { Set($0.keys) }
        }
        #expect(try keys("id,seed").allSatisfy { $0 == ["id", "seed"] })
        #expect(try keys("id,beauty").count { $0 == ["id", "annotations"] } == 1)
        #expect(try keys("id,beauty").count { $0 == ["id"] } == 7)
        #expect(try keys(nil).allSatisfy { $0.isSuperset(of: ["id", "latent_shape", "shard", "annotations"]) })
    }

    /// A column that a listing or a schema does not know would be missing, or refused, only where a sample has it.
    @Test func listingsAndSchemasHaveEveryColumn() throws {
        let columns = Set(CatalogueRow.columns)
        #expect(Set(SampleListing.CodingKeys.allCases.map(\.stringValue)) == columns.union(["annotations"]))
        struct Schema: Decodable {
            let items: Sample
            struct Sample: Decodable {
                struct Property: Decodable {}
                let properties: [String: Property]
            }
        }
        struct Shown: Decodable {
            struct Parts: Decodable { let samples: Schema }
            let properties: Parts
        }
        func data(_ name: String) throws -> Data {
            try Data(contentsOf: Repository.root.appending(path: "schemas/output/\(name).schema.json"))
        }
        let query = try JSONDecoder().decode(Schema.self, from: data("query"))
        let show = try JSONDecoder().decode(Shown.self, from: data("show")).properties.samples
        for schema in [query, show] { #expect(Set(schema.items.properties.keys) == columns.union(["annotations"])) }
    }

    @Test func sizesThatCannotBeLookedUpAreAnError() throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("corpus")
        try Made.fill(corpus, count: 8, side: 8)
        let shards = corpus.folder.appending(path: "shards")
        let files = try FileManager.default.subpathsOfDirectory(atPath: shards.path).filter { $0.hasSuffix(".h5") }
        let sizes = try files.map { try Data(contentsOf: shards.appending(path: $0)).count }
        #expect(try CorpusSummary(corpus).bytes == sizes.reduce(0, +))
        let loop = shards.appending(path: "loop").path
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        #expect(throws: DiskError.self) { _ = try CorpusSummary(corpus) }
    }

    @Test func aFailingReaderEndsTheListing() throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("corpus")
        try Made.fill(corpus, count: 208, side: 8)
        #expect(throws: CorpusError.self) {
            try SampleListings.list(
                CatalogueQuery(), of: corpus, columns: "id", isJSON: true, write: { _ in },
                flush: { () throws(CorpusError) in throw CorpusError(.io, "standard output", "cannot be written") })
        }
        #expect(throws: UsageError.self) {
            try SampleListings.list(CatalogueQuery(), of: corpus, columns: "beauty", isJSON: true, write: { _ in })
        }
    }
}
