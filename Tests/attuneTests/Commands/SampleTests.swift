import Foundation
import TestSupport
import Testing

@Suite struct SampleTests {
    @Test func makesAFolderOnceAndRefusesOtherSettings() throws {
        let scratch = try Scratch()
        let prompts = try scratch.file("prompts.txt", "a red circle\na star\n")
        let to = scratch.path("out")
        let common = [
            "sample", "--model", Attune.model, "--prompts", prompts, "--to", to, "--images-per-prompt", "2", "--steps",
            "2",
        ]
        let first = try Attune.start(common).wait()
        #expect(first.status == 0, "\(first.errors)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: to).sorted() == [
                "0001-42.png", "0001-43.png", "0002-42.png", "0002-43.png", "metadata.jsonl", "sample.json",
            ])
        let image = URL(fileURLWithPath: to).appendingPathComponent("0002-43.png")
        let bytes = try Data(contentsOf: image)

        try FileManager.default.removeItem(at: image)
        let again = try Attune.start(common).wait()
        #expect(again.output.contains("(1 made now)"), "\(again.output)\(again.errors)")
        #expect(try Data(contentsOf: image) == bytes)

        let other = try Attune.start(common + ["--guidance", "2"]).wait()
        #expect(other.status == 1)
        #expect(other.failures.count == 1)
    }

    @Test func refusesAnAdapterThatIsNotOne() throws {
        let scratch = try Scratch()
        let prompts = try scratch.file("prompts.txt", "a star\n")
        let adapter = try scratch.file("adapter.safetensors", "not a tensor file")
        let outcome = try Attune.run(
            "sample", "--model", Attune.model, "--prompts", prompts, "--to", scratch.path("out"), "--adapter", adapter)
        #expect(outcome.status == 1)
        #expect(outcome.failures.first?.contains("adapter.safetensors") == true)
    }
}
