import Codecs
import Foundation
import Shapes
import TestSupport
import Testing
import Workflows

@Suite("The shapes benchmark as folders") struct ShapesFolderTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func rendered(_ prompts: String, to name: String = "images", perPrompt: Int = 3) throws -> ShapesRendering {
        var job = ShapesRendering(
            prompts: URL(fileURLWithPath: try scratch.file("prompts.txt", prompts)), folder: scratch.url(name))
        job.perPrompt = perPrompt
        return job
    }

    @Test func renderedImagesAreJudgedAligned() throws {
        let written = try ShapesPromptFiles.write(to: scratch.url("sets"))
        #expect(written.map(\.prompts) == [700, 300])
        _ = try ShapesPromptFiles.write(to: scratch.url("sets"))
        let job = ShapesRendering(prompts: written[1].file, folder: scratch.url("images"))
        var two = job
        two.perPrompt = 2
        #expect(try two.run(monitor: Recorder()).made == 600)
        let result = try ShapesFolder.judge(scratch.url("images"), monitor: Recorder())
        #expect(result.images.count == 600 && result.isFinished)
        #expect(
            result.aligned >= 0.995,
            "\(result.images.filter { !$0.aligned }.map { $0.text + ": " + ($0.reason ?? "") })")
        #expect(Set(result.categories.keys) == Set(ShapesPrompt.Category.allCases.map(\.rawValue)))
        #expect(result.images.allSatisfy { !$0.fileName.contains("/") })
        #expect(try two.run(monitor: Recorder()).skipped == 600)
        var other = two
        other.seed = 7
        #expect(throws: Failure.self) { try other.run(monitor: Recorder()) }
    }

    @Test func aStoppedRenderingGoesOn() throws {
        let job = try rendered("one red circle\na star and a cross\n")
        #expect(try !job.run(monitor: Recorder(allowing: 4)).isFinished)
        #expect(throws: (any Error).self) { try ShapesFolder.judge(scratch.url("images"), monitor: Recorder()) }
        let rest = try job.run(monitor: Recorder())
        #expect(rest.made == 2 && rest.skipped == 4)
        let whole = try rendered("one red circle\na star and a cross\n", to: "other")
        _ = try whole.run(monitor: Recorder())
        for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path("images/train")) {
            #expect(
                try Data(contentsOf: scratch.url("images/train/\(name)"))
                    == Data(contentsOf: scratch.url("other/train/\(name)")))
        }
    }

    @Test func metadataMayLieAtTheTop() throws {
        _ = try rendered("one red circle\n").run(monitor: Recorder())
        let folder = scratch.url("flat")
        try FileManager.default.createDirectory(at: folder.appending(path: "sub"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: scratch.url("images/train/0-0.png"), to: folder.appending(path: "sub/x.png"))
        _ = try scratch.file("flat/metadata.jsonl", "{\"file_name\": \"sub/x.png\", \"text\": \"two red circles\"}\n")
        let result = try ShapesFolder.judge(folder, monitor: Recorder())
        #expect(result.images.map(\.fileName) == ["sub/x.png"] && result.aligned == 0)
        #expect(result.images[0].reason == "shows 1 object instead of 2" && result.images[0].objects.count == 1)
        let json = try jsonText(result)
        #expect(json.contains("\"file_name\" : \"sub/x.png\"") && json.contains("\"aligned\" : false"))
    }

    @Test func whatTheJudgeCannotTakeIsNamed() throws {
        _ = try rendered("one red circle\n", perPrompt: 1).run(monitor: Recorder())
        func judge(_ line: String) throws -> String {
            _ = try scratch.file("images/train/metadata.jsonl", line + "\n")
            return #expect(throws: (any Error).self) {
                try ShapesFolder.judge(scratch.url("images"), monitor: Recorder())
            }
            .map { "\($0)" } ?? ""
        }
        #expect(
            try judge("{\"file_name\": \"0-0.png\", \"text\": \"a cat\"}").contains(
                "'a cat' is not a prompt of the shapes benchmark"))
        #expect(try judge("{\"file_name\": \"no.png\", \"text\": \"one red circle\"}").contains("no.png"))
        let large = try PNG.encode(width: 32, height: 32, pixels: [UInt8](repeating: 9, count: 3 * 32 * 32))
        try Data(large).write(to: scratch.url("images/train/large.png"))
        #expect(try judge("{\"file_name\": \"large.png\", \"text\": \"one red circle\"}").contains("32×32"))
        #expect(throws: Failure.self) { try rendered("a cat\n", to: "cats").run(monitor: Recorder()) }
    }
}
