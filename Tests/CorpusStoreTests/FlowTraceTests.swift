import CorpusStore
import Foundation
import Testing

/// Traces of flow-matching models (schemas/shard.md, version 3).
@Suite struct FlowTraceTests {
    private struct Scoring: TraceScoring {
        let identity = "flows"

        func scores(
            timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
        ) -> (mi: Double, standardError: Double, reference: Double) { (1, .nan, .nan) }

        func scores(
            flow: FlowTrace, deltaSquared: [Float], guidance: Double
        ) -> (rf: Double, standardError: Double, guided: Double) {
            (Double(flow.velocityDelta[0]), 0.5, guidance * Double(deltaSquared[0]))
        }
    }

    private func records() throws -> [SampleRecord] {
        var records = try sampleRecords(4)
        records[1].flow = FlowTrace(sigmas: [1, 0.5], velocityDelta: [-3, .nan])
        records[2].flow = FlowTrace(sigmas: [1, 0.75, 0.5, 0.25], velocityDelta: [8, 7, 6, 5])
        return records
    }

    @Test func theyComeBackBesideOtherTraces() throws {
        let folder = try TemporaryFolder()
        let records = try records()
        let digest = try ShardWriter.write(records, to: folder.url, files: folder.files)
        let shard = try ShardReader(ShardWriter.location(of: digest, in: folder.url), digest: digest)
        let read = try shard.records([0, 1, 2, 3])
        #expect(read[0].flow == nil && read[3].flow == nil && read[2].flow == records[2].flow)
        let flow = try #require(read[1].flow)
        #expect(flow.sigmas == [1, 0.5] && flow.velocityDelta[0] == -3 && flow.velocityDelta[1].isNaN)
        #expect(read.map(\.deltaSquared.count) == records.map(\.deltaSquared.count))
        #expect(read.map(\.id) == records.map(\.id))
    }

    @Test func theirScoresAreColumns() throws {
        let folder = try TemporaryFolder()
        let corpus = try Corpus.create(at: folder.url.appending(path: "c"), scoring: Scoring())
        try corpus.append(records())
        let best = try corpus.query(CatalogueQuery(condition: "rf IS NOT NULL", by: "rf"))
        #expect(best.map(\.rf) == [8, -3] && best.map(\.guidedRF) == [7.5 * 4, 7.5])
        #expect(best.map(\.mi) == [8, -3] && best[0].miStandardError == 0.5 && best[0].miSource == "generation")
        let others = try corpus.query(CatalogueQuery(condition: "rf IS NULL"))
        #expect(others.count == 2 && others.allSatisfy { $0.mi == 1 && $0.guidedRF == nil })
    }
}
