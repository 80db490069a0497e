import Corpus
import Foundation
import Interchange
import TestSupport
import Testing

@Suite struct ShardImportTests {
    private let scratch: Scratch
    private let corpus: Corpus

    init() throws {
        scratch = try Scratch()
        corpus = try scratch.corpus("c")
    }

    private func file(_ records: [SampleRecord], name: String = "batch.h5") throws -> URL {
        let url = scratch.url(name)
        try ShardWriter.pack(records).write(to: url)
        return url
    }

    private func run(_ url: URL) throws -> ImageImport.Outcome {
        try ShardImport(url, into: corpus) { try ShardReader($0, digest: $1).verifyContents() }.run()
    }

    @Test func whatCannotBeLookedAtIsNotMissing() throws {
        let loop = scratch.url("loop.h5")
        try FileManager.default.createSymbolicLink(atPath: loop.path, withDestinationPath: loop.path)
        let error = #expect(throws: ImportError.self) { try run(loop) }
        #expect(error?.description.contains("Too many levels of symbolic links") == true)
        #expect(throws: ImportError(scratch.path("none"), "does not exist")) { try run(scratch.url("none")) }
        let archive = #expect(throws: ImportError.self) { try WebDatasetArchive(loop, text: nil) }
        #expect(archive?.description.contains("Too many levels of symbolic links") == true)
    }

    @Test func importsWhatIsNew() throws {
        let records = try (0..<5).map { try Made.record($0) }
        #expect(try run(file(Array(records[0..<3]))).made == 3)
        let outcome = try run(file(records))
        #expect(outcome.made == 2 && outcome.skipped == 3)
        #expect(try Set(corpus.query(CatalogueQuery()).map(\.id)) == Set(records.map(\.id)))
        #expect(corpus.verify().isEmpty)
    }

    /// Digests fit in all of these; what they vouch for is what no sample may have.
    @Test func refusesValuesThatNoSampleMayHave() throws {
        let cases: [(String, (inout SampleRecord) -> Void)] = [
            ("finite", { $0.latent[3] = .nan }), ("finite", { $0.latent[0] = .infinity }),
            ("timesteps rise", { $0.timesteps = [1, 2, 3] }), ("below zero", { $0.deltaSquared[0] = -1 }),
            ("not the one in its manifest", { $0.pixels = Digest(of: [1]) }),
            ("not the one in its manifest", { $0.recipe.width += 1 }),
        ]
        for (what, change) in cases {
            var record = try Made.record(1)
            change(&record)
            let url = try file([Made.record(0), record])
            expectRefused("batch.h5", what) { _ = try run(url) }
            #expect(try corpus.query(CatalogueQuery()).isEmpty)
        }
    }

    @Test func refusesDamagedFiles() throws {
        let url = try file([Made.record(0), Made.record(1)])
        let whole = try Data(contentsOf: url)
        try whole.prefix(whole.count / 2).write(to: url)
        expectRefused("batch.h5") { _ = try run(url) }
        try Data("not HDF5".utf8).write(to: url)
        expectRefused("batch.h5") { _ = try run(url) }
        expectRefused("batch.txt", ".h5") { _ = try run(file([Made.record(0)], name: "batch.txt")) }
        expectRefused("nowhere") { _ = try run(scratch.url("nowhere")) }
        #expect(try corpus.query(CatalogueQuery()).isEmpty && corpus.verify().isEmpty)
    }
}
