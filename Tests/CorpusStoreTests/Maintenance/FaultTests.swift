import CorpusStore
import DiskAccess
import Foundation
import Testing

/// Every call that a write makes fails once, in turn, in many ways; the process lives on.
@Suite struct FaultTests {
    /// Runs `body` with the n-th call failing, for every n that it reaches.
    ///
    /// - Parameter check: given n and whether `body` went through.
    private func atEveryPoint(
        _ action: FaultPlan.Action, _ body: () throws -> Void, check: (Int, Bool) throws -> Void
    ) throws -> Int {
        for passage in 1...200 {
            let plan = FaultPlan(nil, passage, action)
            let result = Result { try Faults.$plan.withValue(plan) { try body() } }
            try check(passage, (try? result.get()) != nil)
            if plan.count < passage { return passage - 1 }
        }
        Issue.record("the work never ends")
        return 0
    }

    @Test(arguments: [FaultPlan.Action.fail, .broken, .full, .short])
    func aWrittenFileIsThereWholeOrNot(action: FaultPlan.Action) throws {
        let folder = try TemporaryFolder()
        let destination = folder.url.appending(path: "selections/a.json")
        let data = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0) })
        let points = try atEveryPoint(action) {
            try? FileManager.default.removeItem(at: folder.url.appending(path: "selections"))
            try folder.files.write(data, to: destination)
        } check: { _, succeeded in
            if FileManager.default.fileExists(atPath: destination.path) {
                #expect(try Data(contentsOf: destination) == data)
            } else {
                #expect(!succeeded)
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.appending(path: "tmp").path)
            #expect(left.isEmpty)
        }
        #expect(points >= 8)
    }

    /// The corpus is then the old one or the new one, and a rerun gives what an undisturbed one gives.
    @Test(arguments: [FaultPlan.Action.fail, .broken, .full, .short])
    func aCutAppendLeavesTheOldOrTheNew(action: FaultPlan.Action) throws {
        let folder = try TemporaryFolder()
        let records = try sampleRecords(5)
        var place = folder.url
        let points = try atEveryPoint(action) {
            place = folder.url.appending(path: UUID().uuidString)
            let corpus = try Faults.$plan.withValue(nil) {
                let corpus = try Corpus.create(at: place, scoring: SumScoring())
                try corpus.append(Array(records[..<2]))
                return corpus
            }
            try corpus.append(Array(records[2...]))
        } check: { _, succeeded in
            let reopened = try Corpus(at: place, scoring: SumScoring())
            #expect(reopened.verify().isEmpty)
            let count = try reopened.query(CatalogueQuery()).count
            #expect(succeeded ? count == 5 : count == 2 || count == 5)
            #expect(try FileManager.default.contentsOfDirectory(atPath: place.appending(path: "tmp").path).isEmpty)
            try reopened.append(Array(records[2...]))
            #expect(try reopened.query(CatalogueQuery()).map(\.id) == records.map(\.id).sorted())
            #expect(try reopened.shards().count == 2)
        }
        #expect(points >= 10)
    }
}
