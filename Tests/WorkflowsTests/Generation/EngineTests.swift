import CorpusStore
import Foundation
import TestSupport
import Testing

/// What computed a sample is known of it, and no part of its recipe.
@Suite struct EngineTests {
    private func record(_ seed: UInt64, engine: String?) throws -> SampleRecord {
        var record = try Made.record(seed)
        record.engine = engine
        // Another engine has other last bits.
        record.latent[0] += engine == nil ? 0 : 1e-3
        return record
    }

    @Test func theSameRecipeMayBeMadeByTwo() throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("c")
        let (cpu, gpu) = (try record(1, engine: nil), try record(1, engine: "cuda 2.15.0"))
        #expect(cpu.recipe.digest == gpu.recipe.digest && cpu.id != gpu.id)
        try corpus.append([cpu])
        let recipe = cpu.recipe.digest
        #expect(try corpus.existing([recipe]) == [recipe])
        #expect(try corpus.existing([recipe], engine: nil) == [recipe])
        #expect(try corpus.existing([recipe], engine: "cuda 2.15.0").isEmpty)
        try corpus.append([gpu])
        #expect(try corpus.existing([recipe], engine: "cuda 2.15.0") == [recipe])

        func engines(_ condition: String) throws -> [String?] {
            try corpus.query(CatalogueQuery(condition: condition)).map(\.engine)
        }
        #expect(try engines("engine LIKE 'cuda%'") == ["cuda 2.15.0"])
        #expect(try engines("engine IS NULL") == [nil])
        #expect(CatalogueRow.columns.contains("engine"))
    }

    @Test func aManifestKeepsIt() throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("c")
        let made = try record(2, engine: "torch-cpu 2.10.1")
        #expect(made.manifest.text.contains(#""engine":"torch-cpu 2.10.1""#))
        let read = try corpus.open(corpus.append([made])).records([0])[0]
        #expect(read.engine == made.engine && read.id == made.id)
        // Without one it has the bytes that it had before there were engines.
        #expect(try !record(2, engine: nil).manifest.text.contains("engine"))
    }
}
