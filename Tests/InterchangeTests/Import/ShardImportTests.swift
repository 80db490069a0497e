import CorpusStore
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

    @Test func vectorsComeAfterTheirSamples() throws {
        let records = try (0..<4).map { try Made.record($0) }
        let folder = scratch.url("shards")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try ShardWriter.pack(records).write(to: folder.appending(path: "z.h5"))
        let stranger = Digest(of: [7])
        let set = try VectorSet(
            name: "clip", width: 3, samples: records.map(\.id) + [stranger],
            values: .floats((0..<15).map { Float($0) }))
        try set.packed(revision: 4, source: "clip.npz").write(to: folder.appending(path: "a.h5"))
        func run() throws -> ImageImport.Outcome {
            try ShardImport(folder, into: corpus) { try Corpus.inspect($0, digest: $1) }.run()
        }
        let outcome = try run()
        #expect(outcome.made == 4 && outcome.vectors == 4)
        #expect(try corpus.vectors(named: "clip").picking(records.map(\.id)) == set.picking(records.map(\.id)))
        #expect(try corpus.vectors(named: "clip").samples.count == 4, "of samples that are here")
        // The same again changes nothing; a vector that differs counts.
        #expect(try run().vectors == 0)
        var values = (0..<15).map { Float($0) }
        values[0] = 99
        try VectorSet(name: "clip", width: 3, samples: set.samples, values: .floats(values))
            .packed(revision: 5, source: "clip.npz").write(to: folder.appending(path: "a.h5"))
        #expect(try run().vectors == 1)
        #expect(corpus.verify().isEmpty)
        // Of another width: an error that says so, and nothing is changed.
        try VectorSet(name: "clip", width: 5, samples: [records[0].id], values: .floats([1, 2, 3, 4, 5]))
            .packed(revision: 6, source: "clip.npz").write(to: folder.appending(path: "a.h5"))
        #expect { try run() } throws: { "\($0)".contains("give them a name of their own") }
        #expect(try corpus.vectors(named: "clip").width == 3)
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
