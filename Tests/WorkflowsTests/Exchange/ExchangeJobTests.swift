import CorpusStore
import Foundation
import Interchange
import TestSupport
import Testing
import Workflows

/// What is exported is imported again; scores come back by id.
@Suite struct ExchangeJobTests {
    private let scratch: Scratch
    private let corpus: Corpus
    private let inspection = ShardInspection(program: Repository.command, arguments: ["check-shard"])

    init() throws {
        scratch = try Scratch()
        corpus = try scratch.corpus("corpus")
        try Made.fill(corpus, count: 12)
    }

    @Test(arguments: [
        (ExportFormat.imagefolder, ImportJob.Format.imagefolder), (.webdataset, .webdataset), (.kohya, .kohya),
    ])
    func imagesComeBack(format: ExportFormat, reading: ImportJob.Format) throws {
        let folder = scratch.url("export")
        let exported = try ExportJob(format).run("best", of: corpus, to: folder, monitor: Recorder())
        #expect(exported.isFinished && exported.total == 12)
        let other = try scratch.corpus("other")
        var job = ImportJob(reading, at: folder)
        job.batch = 5
        let stopped = try job.run(into: other, inspection: inspection, monitor: Recorder(allowing: 1))
        #expect(!stopped.outcome.isFinished)
        let report = try job.run(into: other, inspection: inspection, monitor: Recorder())
        #expect(report.outcome.isFinished && report.outcome.made + report.outcome.skipped == 12)
        #expect(
            try Set(other.query(CatalogueQuery()).map(\.prompt)) == Set(corpus.query(CatalogueQuery()).map(\.prompt)))
        #expect(try other.summary().samples == 12)
    }

    @Test func shardsComeBackWithTheirIds() throws {
        var export = ExportJob(.shard)
        export.samplesPerFile = 5
        #expect(try export.run("best", of: corpus, to: scratch.url("export"), monitor: Recorder()).isFinished)
        let other = try scratch.corpus("other")
        let recorder = Recorder()
        let report = try ImportJob(.shard, at: scratch.url("export"))
            .run(into: other, inspection: inspection, monitor: recorder)
        #expect(report.outcome.made == 12 && recorder.total == 3)
        #expect(try Set(other.ids(CatalogueQuery())) == Set(corpus.ids(CatalogueQuery())))
    }

    @Test func anExportThatWasStoppedIsResumed() throws {
        var export = ExportJob(.shard)
        export.samplesPerFile = 5
        let folder = scratch.url("export")
        let stopped = try export.run("best", of: corpus, to: folder, monitor: Recorder(allowing: 1))
        #expect(!stopped.isFinished && !FileManager.default.fileExists(atPath: folder.path))
        let recorder = Recorder()
        #expect(try export.run("best", of: corpus, to: folder, monitor: recorder).isFinished)
        #expect(recorder.reports.first == 5 && recorder.reports.last == 12)
    }

    @Test func latentsNeedAModel() throws {
        let error = #expect(throws: UsageError.self) {
            try ExportJob(.latents).run("best", of: corpus, to: scratch.url("export"), monitor: Recorder())
        }
        #expect(error?.description == "--format latents needs --model")
    }

    @Test func annotationsAreTakenOnce() throws {
        let ids = try corpus.ids(CatalogueQuery())
        let lines = ids.enumerated().map { #"{"id": "\#($1.hex)", "score": \#($0)}"# }
        let file = URL(fileURLWithPath: try scratch.file("scores.jsonl", lines.joined(separator: "\n")))
        let job = AnnotationJob(file: file, scorer: "clip")
        let first = try job.run(in: corpus)
        #expect(first.samples == 12 && first.revision != nil)
        let again = try job.run(in: corpus)
        #expect(again.samples == 12 && again.revision == nil)
        #expect(try jsonText(ScorerListing.all(corpus)).contains(#""mean" : 5.5"#))
        #expect(try corpus.query(CatalogueQuery(by: "clip", top: 1)).first?.id == ids.last)
    }
}
