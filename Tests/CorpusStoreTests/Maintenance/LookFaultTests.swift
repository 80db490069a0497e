import CorpusStore
import DiskAccess
import Foundation
import Testing

/// Every listing, opening and `stat` of gc, verify, pack, reindex and select fails once. Nothing that anybody could need
/// is gone then, verify calls nothing whole that it could not see, and the corpus is whole once the fault is.
///
/// ATTUNE_LONG=1 takes all of them, the short form every few.
@Suite struct LookFaultTests {
    private static let isLong = ProcessInfo.processInfo.environment["ATTUNE_LONG"] == "1"

    enum Operation: String, CaseIterable { case gc, verify, pack, reindex, select }

    /// A corpus with a selection that only a run's log names, a checkpoint, scores, and samples that nothing needs.
    private struct Template {
        let folder: URL
        let needed: Set<Digest>
        let selections: [Digest]
        let samples: Int

        init(_ place: URL) throws {
            folder = place
            let corpus = try Corpus.create(at: place, scoring: SumScoring())
            let records = try sampleRecords(8)
            for start in stride(from: 0, to: 8, by: 2) { try corpus.append(Array(records[start..<start + 2])) }
            samples = records.count
            let best = try corpus.resolve(CatalogueQuery(condition: "seed = 42"))
            try corpus.store(best, as: "best")
            let read = try corpus.resolve(CatalogueQuery(condition: "seed = 45"))
            try corpus.store(read)
            let line = LineSum.seal(Data(#"{"event":"resolution","selection":"\#(read.digest)"}"#.utf8))
            try corpus.files.write(line + Data("\n".utf8), to: place.appending(path: "runs/r/log.jsonl"))
            let checkpoint = Data("weights".utf8)
            try corpus.files.write(
                checkpoint, to: place.appending(path: "runs/r/checkpoints/\(Digest(of: checkpoint)).safetensors"))
            try corpus.annotate(best.ids.map { AnnotationValue(sample: $0, value: 1) }, by: "hps", from: "x")
            needed = Set(best.ids + read.ids)
            selections = [best.digest, read.digest]
        }
    }

    /// What an operation says; it throws, or says what it always says, or says that something is wrong.
    private func run(_ operation: Operation, _ place: URL) throws -> String {
        if operation == .reindex {
            let (corpus, unreadable) = try Corpus.reindex(at: place, scoring: SumScoring())
            return unreadable.isEmpty ? "\(try corpus.query(CatalogueQuery()).map(\.id))" : "damaged"
        }
        let corpus = try Corpus(at: place, scoring: SumScoring())
        if operation == .verify {
            let report = corpus.check()
            return report.damage.isEmpty
                ? "\(report.shards) \(report.selections) \(report.names) \(report.runs) \(report.checkpoints)"
                : "damaged"
        }
        try corpus.requireReadable(corpus.unreadable)
        switch operation {
        case .gc: return "\(try corpus.gc(GcOptions(keep: [], grace: 0)).samples.sorted())"
        case .pack: return "\(try corpus.pack().made)"
        case .select:
            let selection = try corpus.resolve(CatalogueQuery())
            try corpus.store(selection, as: "all")
            return selection.digest.hex
        case .verify, .reindex: return ""
        }
    }

    @Test(arguments: Operation.allCases, [EIO, EACCES])
    func aLookThatFailsLosesAndHidesNothing(operation: Operation, code: Int32) throws {
        let folder = try TemporaryFolder()
        let template = try Template(folder.url.appending(path: "template"))
        let looks = FaultPoint.looking.subtracting([.read])
        func attempt(_ passage: Int) throws -> (place: URL, said: Result<String, any Error>, passages: Int) {
            let place = folder.url.appending(path: UUID().uuidString)
            try FileManager.default.copyItem(at: template.folder, to: place)
            let plan = FaultPlan(looks, passage, code: code)
            let said = Result { try Faults.$plan.withValue(plan) { try run(operation, place) } }
            return (place, said, plan.count)
        }
        let whole = try attempt(.max)
        let expected = try whole.said.get()
        #expect(whole.passages > 10)
        let step = Self.isLong ? 1 : 5
        for passage in stride(from: 1 + Int.random(in: 0..<step), through: whole.passages, by: step) {
            let (place, said, _) = try attempt(passage)
            switch said {
            case .success(let words):
                let isTold = words == expected || (operation != .gc && operation != .select && words == "damaged")
                // What `pack` cannot read it leaves alone.
                #expect(isTold || operation == .pack, "\(operation) \(passage): \(words)")
            case .failure(let error):
                #expect(error is CorpusError, "\(operation) \(passage): \(error)")
            }
            let again = try Corpus(at: place, scoring: SumScoring())
            #expect(again.unreadable.isEmpty)
            #expect(again.verify().isEmpty, "\(operation) \(passage): \(again.verify())")
            let left = Set(try again.query(CatalogueQuery()).map(\.id))
            #expect(left.isSuperset(of: template.needed), "\(operation) \(passage)")
            #expect(operation == .gc || left.count == template.samples, "\(operation) \(passage)")
            for selection in template.selections { _ = try again.selection(selection) }
            let afterwards = try run(operation, place)
            #expect(operation == .gc || operation == .pack || afterwards == expected, "\(operation) \(passage)")
            try FileManager.default.removeItem(at: place)
        }
    }
}
