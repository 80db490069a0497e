import CorpusStore
import Foundation
import Testing

@Suite struct VerifyTests {
    private func corpus(_ folder: borrowing TemporaryFolder) throws -> Corpus {
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let records = try sampleRecords(6)
        try corpus.append(Array(records[..<3]))
        try corpus.append(Array(records[3...]))
        try corpus.store(corpus.resolve(CatalogueQuery(by: "mi", top: 2)), as: "best")
        try run("r", in: corpus, selection: corpus.selection(named: "best").digest)
        return corpus
    }

    /// The files of a finished run, as `train` leaves them.
    private func run(_ name: String, in corpus: Corpus, selection: Digest) throws {
        let folder = corpus.folder.appending(path: "runs/\(name)")
        let (checkpoint, adapter) = (Data("checkpoint".utf8), Data("adapter".utf8))
        let lines = [
            #"{"event":"resolution","epoch":0,"selection":"\#(selection)","count":2}"#,
            #"{"event":"checkpoint","checkpoint":"\#(Digest(of: checkpoint))","step":2}"#,
            #"{"event":"finished","adapter":"\#(Digest(of: adapter))","step":2}"#,
        ]
        let log = lines.reduce(into: Data()) { $0 += LineSum.seal(Data($1.utf8)) + Data("\n".utf8) }
        try corpus.files.write(log, to: folder.appending(path: "log.jsonl"))
        try corpus.files.write(
            checkpoint, to: folder.appending(path: "checkpoints/\(Digest(of: checkpoint)).safetensors"))
        try corpus.files.write(adapter, to: folder.appending(path: "adapter/pytorch_lora_weights.safetensors"))
    }

    private func flip(_ url: URL, bit: Int) throws {
        var data = try Data(contentsOf: url)
        data[bit / 8] ^= 1 << UInt8(bit % 8)
        try data.write(to: url)
    }

    /// Flips bits all over every file, cuts every file short and removes it; nothing of that goes unseen.
    @Test func everyChangeOfEveryFileIsFound() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        #expect(corpus.verify().isEmpty)
        let root = corpus.folder
        let names = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        let kinds = ["attune.json", "shards/", "selections/", "refs/", "runs/"]
        let files = names.filter { name in
            kinds.contains { name.hasPrefix($0) } && !(name as NSString).pathExtension.isEmpty
        }.sorted()
        #expect(files.count == 8, "\(files)")
        for name in files where !name.hasSuffix(".lock") {
            let url = root.appending(path: name)
            let whole = try Data(contentsOf: url)
            for bit in stride(from: 0, to: 8 * whole.count, by: max(1, 8 * whole.count / 61)) {
                try flip(url, bit: bit)
                let found = corpus.verify()
                #expect(!found.isEmpty, "bit \(bit) of \(name)")
                try whole.write(to: url)
            }
            // A log that ends early is what a killed run leaves: a note, no damage.
            let isLog = name.hasSuffix("log.jsonl")
            try whole.dropLast(7).write(to: url)
            let report = corpus.check()
            #expect(isLog ? !report.notes.isEmpty : !report.damage.isEmpty, "\(name) cut short")
            if !isLog, !name.hasSuffix("pytorch_lora_weights.safetensors"), !name.contains("checkpoints"),
                !name.hasPrefix("refs")
            {
                try FileManager.default.removeItem(at: url)
                #expect(!corpus.verify().isEmpty, "\(name) gone")
            }
            try whole.write(to: url)
        }
        #expect(corpus.verify().isEmpty)
    }

    @Test func damageNamesSamplesSelectionsAndRuns() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let best = try corpus.selection(named: "best")
        let row = try #require(corpus.query(CatalogueQuery(condition: "id = '\(best.ids[0])'")).first)
        let shard = row.shard
        let url = ShardWriter.location(of: shard, in: corpus.folder.appending(path: "shards"))
        try flip(url, bit: 8 * 4000)
        let found = corpus.verify()
        #expect(found.count == 1)
        let damage = try #require(found.first)
        #expect(damage.kind == .shard && damage.code == .damaged && damage.digest == shard)
        #expect(Set(damage.samples) == Set(try sampleRecords(6)[3...].map(\.id)))
        #expect(damage.selections == ["best"])
        #expect(damage.runs == ["r"])
        for word in [shard.hex, "best", "run r"] { #expect(damage.description.contains(word)) }
    }

    @Test func aShareAndAnAgeLimitWhatIsRead() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let whole = corpus.check()
        #expect(whole.shards == 2 && whole.selections == 1 && whole.names == 1 && whole.runs == 1)
        #expect(whole.checkpoints == 1 && whole.adapters == 1 && whole.bytes > 0)
        let part = corpus.check(VerifyOptions(share: 0.25))
        #expect(part.shards + part.checkpoints + part.adapters == 1 && part.bytes < whole.bytes)
        #expect(corpus.check(VerifyOptions(since: Date(timeIntervalSinceNow: 60))).shards == 0)
        #expect(corpus.check(VerifyOptions(since: Date(timeIntervalSinceNow: -600))).shards == 2)
    }

    @Test func aCopyMendsEverything() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let copy = folder.url.appending(path: "copy")
        try FileManager.default.copyItem(at: corpus.folder, to: copy)
        let shards = try corpus.shards().map {
            ShardWriter.location(of: $0, in: corpus.folder.appending(path: "shards"))
        }
        try flip(shards[0], bit: 8000)
        try FileManager.default.removeItem(at: shards[1])
        let selection = corpus.folder.appending(path: "selections/\(try corpus.selection(named: "best").digest).json")
        try flip(selection, bit: 100)
        let source = try Corpus(at: copy, scoring: SumScoring())
        let outcomes = try corpus.repair(corpus.verify(), from: source)
        #expect(outcomes.allSatisfy { $0.action == .restored }, "\(outcomes.map(\.action))")
        #expect(corpus.verify().isEmpty)
        let kept =
            FileManager.default.enumerator(atPath: corpus.folder.appending(path: "quarantine").path)?
            .compactMap { $0 as? String }.filter { $0.hasSuffix(".h5") || $0.hasSuffix(".json") } ?? []
        #expect(kept.count == 2, "\(kept)")
    }

    /// The other corpus has the samples in other shards.
    @Test func samplesAreFetchedFromAPackedCopy() throws {
        let folder = try TemporaryFolder()
        let corpus = try corpus(folder)
        let copy = folder.url.appending(path: "copy")
        try FileManager.default.copyItem(at: corpus.folder, to: copy)
        let source = try Corpus(at: copy, scoring: SumScoring())
        #expect(try source.pack().made.count == 1)
        try flip(ShardWriter.location(of: corpus.shards()[0], in: corpus.folder.appending(path: "shards")), bit: 8000)
        let outcomes = try corpus.repair(corpus.verify(), from: source)
        #expect(outcomes.map(\.action) == [.refetched] && outcomes[0].lost.isEmpty)
        #expect(corpus.verify().isEmpty)
        #expect(try corpus.query(CatalogueQuery()).count == 6)
    }

    @Test func withoutACopyDamageGoesToQuarantineAndCanBeMadeAgain() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: SumScoring())
        let records = try sampleRecords(6)
        let bad = try corpus.append(Array(records[..<3]))
        try corpus.append(Array(records[3...]))
        try flip(ShardWriter.location(of: bad, in: corpus.folder.appending(path: "shards")), bit: 8000)
        let outcomes = try corpus.repair(corpus.verify(), from: nil)
        #expect(outcomes.map(\.action) == [.quarantined] && outcomes[0].lost.count == 3)
        #expect(corpus.verify().isEmpty)
        #expect(try corpus.existing(records.map(\.recipe.digest)).count == 3)
        #expect(try corpus.append(Array(records[..<3])) == bad)
        #expect(try corpus.query(CatalogueQuery()).count == 6)
    }
}
