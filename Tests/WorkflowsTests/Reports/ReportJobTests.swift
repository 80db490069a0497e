import Codecs
import Corpus
import Diffusion
import Foundation
import TestSupport
import Testing
import Workflows

@Suite struct ReportJobTests {
    @Test func drawsCandidatesAndTraces() throws {
        let small = try SmallCorpus()
        _ = try SelectionRequest.query(CatalogueQuery(by: "mi", top: 1, perPrompt: true)).select(
            as: "best", in: small.corpus)
        var job = ReportJob()
        job.selection = "best"
        let written = try job.write(
            to: small.scratch.url("report"), corpus: { small.corpus }, corpusFolder: { small.corpus.folder })
        #expect(written.map(\.lastPathComponent) == ["candidates.png", "traces.svg"])
        let sheet = try PNG.decode(Array(Data(contentsOf: written[0])))
        // The frames around the two selected candidates.
        let marked = stride(from: 0, to: sheet.pixels.count, by: 3).count {
            sheet.pixels[$0] == 214 && sheet.pixels[$0 + 1] == 64 && sheet.pixels[$0 + 2] == 32
        }
        #expect(marked > 2 * 4 * 64 * 3 - 100, "\(marked)")
        let svg = try String(contentsOf: written[1], encoding: .utf8)
        #expect(svg.split(separator: "<polyline").count == 4)
    }

    @Test func comparesTwoFoldersOfTheSamePrompts() throws {
        let scratch = try Scratch()
        let prompts = URL(fileURLWithPath: try scratch.file("prompts.txt", "a red circle\n"))
        let folders = [scratch.url("base"), scratch.url("tuned")]
        for (folder, guidance) in zip(folders, [7.5, 3]) {
            var job = SamplingJob(
                prompts: prompts, model: ModelSource(folder: Repository.tinySD),
                denoising: DenoisingSettings(steps: 2, guidance: guidance, sampler: .ddim))
            job.imagesPerPrompt = 2
            _ = try job.run(into: folder, monitor: Recorder())
        }
        var report = ReportJob()
        report.compared = (folders[0], folders[1])
        let corpus: () throws -> Corpus = { throw Failure("no corpus is needed") }
        let written = try report.write(
            to: scratch.url("report"), corpus: corpus, corpusFolder: { throw Failure("nor its folder") })
        #expect(written.map(\.lastPathComponent) == ["comparison.png"])
        // 2 margins, 4 images of 64 pixels with gaps of 8, or the title's width.
        #expect(try PNG.decode(Array(Data(contentsOf: written[0]))).width >= 24 + 4 * 72 - 8)

        try FileManager.default.removeItem(at: folders[1].appending(path: "0001-43.png"))
        let missing = #expect(throws: Failure.self) {
            try report.write(to: scratch.url("report"), corpus: corpus, corpusFolder: { scratch.url })
        }
        #expect(missing?.description.contains("0001-43.png") == true)
    }

    @Test func aRunWithoutStepsIsNamed() throws {
        let scratch = try Scratch()
        var job = ReportJob()
        job.run = "none"
        let error = #expect(throws: (any Error).self) {
            try job.write(
                to: scratch.url("report"), corpus: { throw Failure("no corpus") }, corpusFolder: { scratch.url })
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("none"))
    }
}
