import CorpusStore
import Diffusion
import Foundation
import TestSupport
import Testing
import Workflows

@Suite struct ReportJobTests {
    private func none<T>() throws -> T { throw Failure("not needed") }

    @Test func showsASelectionInOneFile() throws {
        let small = try SmallCorpus()
        _ = try SelectionRequest.query(CatalogueQuery(by: "mi", top: 1, perPrompt: true)).select(
            as: "best", in: small.corpus)
        var job = ReportJob()
        job.selection = "best"
        let file = try job.write(
            to: small.scratch.url("report"), corpus: { small.corpus }, corpusFolder: { small.corpus.folder })
        #expect(file.lastPathComponent == "report.html")
        let text = try String(contentsOf: file, encoding: .utf8)
        let chosen = try small.corpus.selection(named: "best").ids.count
        #expect(text.split(separator: "class=\"chosen\"").count == chosen + 1)
        for section in ["Overview", "Candidates", "Traces", "Provenance"] {
            #expect(text.contains("<h2>\(section)</h2>"))
        }
        // Every trace is a line, and its text is text.
        #expect(text.contains("<polyline") && text.contains("timestep t, from noise"))
        // It asks for nothing from elsewhere.
        #expect(!text.contains("src=\"http") && !text.contains("href=\"http") && !text.contains("<script"))
        let images = text.split(separator: "src=\"").dropFirst().map { $0.prefix(24) }
        #expect(!images.isEmpty && images.allSatisfy { $0.hasPrefix("data:image/") })
        // A style element's text is not unescaped by browsers.
        let style = try #require(text.split(separator: "<style>").last?.split(separator: "</style>").first)
        #expect(!style.contains("&"))
    }

    @Test func toAFileOfItsName() throws {
        let small = try SmallCorpus()
        _ = try SelectionRequest.query(CatalogueQuery()).select(as: "all", in: small.corpus)
        var job = ReportJob()
        (job.selection, job.title) = ("all", "<b>A & B</b>")
        let place = small.scratch.url("deep/folder/mine.html")
        let file = try job.write(to: place, corpus: { small.corpus }, corpusFolder: { small.corpus.folder })
        #expect(file == place)
        #expect(try String(contentsOf: file, encoding: .utf8).contains("<h1>&lt;b&gt;A &amp; B&lt;/b&gt;</h1>"))
        job.score = "nonsense"
        #expect(throws: UsageError.self) {
            try job.write(to: place, corpus: { small.corpus }, corpusFolder: { small.corpus.folder })
        }
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
        let file = try report.write(to: scratch.url("report"), corpus: { try none() }, corpusFolder: { try none() })
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.split(separator: "<img").count == 5 && text.contains("base against tuned"))

        try FileManager.default.removeItem(at: folders[1].appending(path: "0001-43.png"))
        let missing = #expect(throws: Failure.self) {
            try report.write(to: scratch.url("report"), corpus: { try none() }, corpusFolder: { try none() })
        }
        #expect(missing?.description.contains("0001-43.png") == true)
        // The report of before is still there.
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    @Test func drawsARunAndItsValidationImages() throws {
        let scratch = try Scratch()
        let folder = scratch.url("runs/r")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let lines =
            [#"{"event":"run","model":"m","selection":"s","configuration":{"steps":20,"lr":0.5}}"#]
            + (1...20).map {
                #"{"event":"step","step":\#($0),"loss":\#(1.0 / Double($0)),"lr":0.5,"grad_norm":1,"samples":\#($0),"epoch":0}"#
            }
            + [
                #"{"event":"evaluation","step":0,"loss":2}"#, #"{"event":"evaluation","step":20,"loss":1}"#,
                #"{"event":"finished","step":20}"#,
            ]
        try (lines.joined(separator: "\n") + "\n").write(
            to: folder.appending(path: "log.jsonl"), atomically: true, encoding: .utf8)
        var job = ReportJob()
        job.run = "r"
        let text = try String(
            contentsOf: job.write(to: scratch.url("out.html"), corpus: { try none() }, corpusFolder: { scratch.url }),
            encoding: .utf8)
        #expect(text.contains("2.000 after step 0, 1.000 after step 20") && text.contains("<td>finished</td>"))
        #expect(text.split(separator: "<svg class=\"plot\"").count == 5)
    }

    @Test func tablesOfAnEvaluation() throws {
        let scratch = try Scratch()
        let file = URL(
            fileURLWithPath: try scratch.file(
                "shapes.json",
                """
                {"format":"attune-evaluation","notes":[],"results":[{"model":"base","score":"<judge>","category":"color",\
                "value":{"mean":0.5,"low":0.25,"high":0.75,"count":8},"images":1200}],"prompts":[{"prompt":"p"}]}
                """))
        var job = ReportJob()
        job.evaluations = [file]
        let text = try String(
            contentsOf: job.write(to: scratch.url("out.html"), corpus: { try none() }, corpusFolder: { try none() }),
            encoding: .utf8)
        #expect(
            text.contains("<td>0.500 [0.250, 0.750]</td>") && text.contains("&lt;judge&gt;") && text.contains("1,200"))
        #expect(!text.contains(">prompts<"))
        for content in ["[]", "{", "{\"results\":[]}"] {
            job.evaluations = [URL(fileURLWithPath: try scratch.file("bad.json", content))]
            #expect(throws: Failure.self) {
                try job.write(to: scratch.url("out.html"), corpus: { try none() }, corpusFolder: { try none() })
            }
        }
    }

    @Test func aRunWithoutStepsIsNamed() throws {
        let scratch = try Scratch()
        var job = ReportJob()
        job.run = "none"
        let error = #expect(throws: (any Error).self) {
            try job.write(to: scratch.url("report"), corpus: { try none() }, corpusFolder: { scratch.url })
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("none"))
    }
}
