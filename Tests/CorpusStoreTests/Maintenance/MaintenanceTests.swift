import CorpusStore
import Foundation
import Testing

@Suite struct MaintenanceTests {
    private func corpus(_ folder: borrowing TemporaryFolder) throws -> Corpus {
        try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
    }

    @Test func reindexDerivesADestroyedCatalogueAgain() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try corpus.append(sampleRecords(5))
        let before = try corpus.query(CatalogueQuery())
        let file = corpus.folder.appending(path: "catalog.sqlite")
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file.path + suffix) }
        try Data(repeating: 0x41, count: 4096).write(to: file)
        #expect(throws: CorpusError.self) { _ = try Corpus(at: corpus.folder, scoring: SumScoring()) }
        let (again, unreadable) = try Corpus.reindex(at: corpus.folder, scoring: SumScoring())
        #expect(unreadable.isEmpty)
        #expect(try again.query(CatalogueQuery()) == before)
    }

    @Test func reindexForgetsWhatIsGoneAndNamesWhatIsDamaged() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(6)
        let shards = try [0..<2, 2..<4, 4..<6].map { try corpus.append(Array(records[$0])) }
        func place(_ digest: Digest) -> URL {
            ShardWriter.location(of: digest, in: corpus.folder.appending(path: "shards"))
        }
        try FileManager.default.removeItem(at: place(shards[0]))
        var bytes = try Data(contentsOf: place(shards[1]))
        bytes[bytes.count / 3] ^= 4
        try bytes.write(to: place(shards[1]))
        let (again, unreadable) = try Corpus.reindex(at: corpus.folder, scoring: SumScoring())
        #expect(unreadable.count == 1 && unreadable.first?.subject.contains(shards[1].hex) == true)
        #expect(try again.query(CatalogueQuery()).map(\.id) == records[4...].map(\.id).sorted())
    }

    @Test func otherEstimatorsFillTheCatalogueAgain() throws {
        struct Doubled: TraceScoring {
            var identity: String { "doubled" }

            func scores(
                timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
            ) -> (mi: Double, standardError: Double, reference: Double) {
                let single = SumScoring().scores(
                    timesteps: timesteps, deltaSquared: deltaSquared, schedule: schedule)
                return (2 * single.mi, single.standardError, single.reference)
            }
        }
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try corpus.append(sampleRecords(3))
        let single = try corpus.query(CatalogueQuery()).compactMap(\.mi)
        let doubled = try Corpus(at: corpus.folder, scoring: Doubled()).query(CatalogueQuery()).compactMap(\.mi)
        #expect(doubled == single.map { 2 * $0 })
    }

    @Test func verifyLooksAtSelectionsNamesAndCheckpoints() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let shard = try corpus.append(sampleRecords(3))
        let selection = try corpus.resolve(CatalogueQuery(by: "mi", top: 2))
        try corpus.store(selection, as: "best")
        let checkpoints = corpus.folder.appending(path: "runs/r/checkpoints")
        try FileManager.default.createDirectory(at: checkpoints, withIntermediateDirectories: true)
        let whole = Data("whole".utf8)
        try whole.write(to: checkpoints.appending(path: "\(Digest(of: whole)).safetensors"))
        #expect(corpus.verify().isEmpty)

        try Data("other".utf8).write(to: checkpoints.appending(path: "\(Digest(of: whole)).safetensors"))
        #expect(corpus.verify().map(\.code) == [.damaged])
        try whole.write(to: checkpoints.appending(path: "\(Digest(of: whole)).safetensors"))

        let document = corpus.folder.appending(path: "selections/\(selection.digest).json")
        try FileManager.default.moveItem(at: document, to: folder.url.appending(path: "aside"))
        #expect(corpus.verify().map(\.subject) == [corpus.folder.appending(path: "refs/best.json").path])
        try FileManager.default.moveItem(at: folder.url.appending(path: "aside"), to: document)

        try FileManager.default.removeItem(
            at: ShardWriter.location(of: shard, in: corpus.folder.appending(path: "shards")))
        let (again, _) = try Corpus.reindex(at: corpus.folder, scoring: SumScoring())
        let found = again.verify()
        #expect(found.count == 1 && found.first?.message.contains("lacks 2 of its samples") == true)
    }

    @Test func selectingAtOnceUnderOneNameKeepsEveryEntry() async throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try corpus.append(sampleRecords(6))
        let selections = try (1...6).map { try corpus.resolve(CatalogueQuery(by: "mi", top: $0)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for selection in selections { group.addTask { try corpus.store(selection, as: "best") } }
            try await group.waitForAll()
        }
        #expect(try Set(corpus.history(of: "best").map(\.digest)) == Set(selections.map(\.digest)))
        #expect(try corpus.selectionNames() == ["best"])
    }

    @Test func aHistoryThatCannotBeReadIsNotOverwritten() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        try corpus.append(sampleRecords(3))
        let reference = corpus.folder.appending(path: "refs/best.json")
        try Data("[{".utf8).write(to: reference)
        let selection = try corpus.resolve(CatalogueQuery(by: "mi", top: 2))
        #expect(throws: CorpusError.self) { try corpus.store(selection, as: "best") }
        #expect(try Data(contentsOf: reference) == Data("[{".utf8))
        #expect(corpus.verify().map(\.code) == [.damaged])
    }

    @Test func readsSamplesById() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let records = try sampleRecords(6)
        try corpus.append(Array(records[..<4]))
        try corpus.append(Array(records[4...]))
        let reader = SampleReader(corpus)
        let order = [records[5], records[3], records[0], records[5]]
        let rows = try reader.rows(order.map(\.id))
        #expect(try reader.latents(rows) == order.map(\.latent))
        #expect(try rows.map { try reader.image($0) } == order.map(\.png))
        #expect(try rows.map { try reader.record($0).id } == order.map(\.id))
        #expect(try reader.trace(rows[1]).timesteps == records[3].timesteps)
        #expect(throws: CorpusError.self) { try reader.rows([Digest(raw: [UInt8](repeating: 0, count: 32))]) }
    }
}
