import CorpusStore
import Foundation
import Testing

/// What a corpus must still be able to do after something went wrong with it.
@Suite struct RecoveryTests {
    private func corpus(_ folder: borrowing TemporaryFolder) throws -> Corpus {
        try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
    }

    private func dropCatalogue(_ corpus: Corpus) {
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(at: corpus.folder.appending(path: "catalog.sqlite\(suffix)"))
        }
    }

    private func location(_ digest: Digest, in corpus: Corpus) -> URL {
        ShardWriter.location(of: digest, in: corpus.folder.appending(path: "shards"))
    }

    @Test func aDamagedShardHidesOnlyItself() throws {
        let folder = try TemporaryFolder()
        let first = try corpus(folder)
        let records = try sampleRecords(5)
        let bad = try first.append(Array(records[..<3]))
        try first.append(Array(records[3...]))
        let url = location(bad, in: first)
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: url)
        dropCatalogue(first)
        // Without this, nobody could run the verify that names the damage.
        let again = try Corpus(at: first.folder, scoring: SumScoring())
        #expect(Set(try again.query(CatalogueQuery()).map(\.id)) == Set(records[3...].map(\.id)))
        let found = again.verify()
        #expect(found.count == 1 && found.first?.subject.contains(bad.hex) == true)
    }

    @Test func aMissingShardIsNamed() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let digest = try corpus.append(sampleRecords(3))
        try FileManager.default.removeItem(at: location(digest, in: corpus))
        let found = corpus.verify()
        #expect(found.count == 1 && found.first?.subject.contains(digest.hex) == true)
    }

    @Test func anInterruptedInitCanBeRepeated() throws {
        let folder = try TemporaryFolder()
        let place = folder.url.appending(path: "c")
        // As a kill before attune.json was renamed leaves it.
        for name in ["shards", "tmp", "refs"] {
            try FileManager.default.createDirectory(
                at: place.appending(path: name), withIntermediateDirectories: true)
        }
        try Data("half".utf8).write(to: place.appending(path: "tmp/999999999-\(AtomicFiles.host)-left"))
        let corpus = try Corpus.create(at: place, scoring: SumScoring())
        try corpus.append(sampleRecords(1))
        #expect(corpus.verify().isEmpty)
    }

    @Test func aFolderWithOtherThingsIsLeftAlone() throws {
        let folder = try TemporaryFolder()
        let place = folder.url.appending(path: "c")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: place.appending(path: "thesis.tex"))
        let error = #expect(throws: CorpusError.self) { try Corpus.create(at: place, scoring: SumScoring()) }
        #expect(error?.code == .alreadyExists)
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == ["thesis.tex"])
    }

    @Test func seedsAreNumbers() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        var records = try sampleRecords(2)
        records[0].recipe.seed = 9
        records[1].recipe.seed = 100
        try corpus.append(records)
        #expect(try corpus.query(CatalogueQuery(condition: "seed = 9")).count == 1)
        #expect(try corpus.query(CatalogueQuery(condition: "seed > 9")).map(\.seed) == ["100"])
        #expect(try corpus.query(CatalogueQuery(by: "seed", top: 1)).map(\.seed) == ["100"])
        // Beyond what SQLite's integers hold.
        records[0].recipe.seed = .max
        try corpus.append([records[0]])
        #expect(try corpus.query(CatalogueQuery(by: "seed", top: 1)).map(\.seed) == ["18446744073709551615"])
    }
}
