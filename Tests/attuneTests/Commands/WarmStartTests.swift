import Foundation
import Testing

/// Training that begins with an adapter which is there already.
@Suite struct WarmStartTests {
    private func train(_ corpus: SmallCorpus, _ run: String, _ more: String...) throws -> Outcome {
        try Attune.start(
            [
                "train", "--corpus", corpus.path, "best", "--model", Attune.model, "--run", run, "--steps", "2",
                "--batch", "1", "--accumulate", "1",
            ] + more
        ).wait()
    }

    @Test func anAdapterIsTrainedOn() throws {
        let corpus = try SmallCorpus()
        try Attune.succeed("select", "--corpus", corpus.path, "best")
        let first = try train(corpus, "first", "--rank", "2", "--alpha", "3", "--targets", "attention", "--lr", "1e-2")
        try #require(first.status == 0, "\(first.errors)")
        let adapter = corpus.path + "/runs/first/adapter"
        // A step of nothing changes nothing: what comes out is what went in, with its rank and alpha.
        let second = try train(corpus, "second", "--warm-start", adapter, "--lr", "1e-30")
        try #require(second.status == 0, "\(second.errors)")
        let name = "/pytorch_lora_weights.safetensors"
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: adapter + name))
                == Data(contentsOf: URL(fileURLWithPath: corpus.path + "/runs/second/adapter" + name)))

        let conflict = try train(corpus, "third", "--warm-start", adapter, "--rank", "4")
        #expect(conflict.status == 64 && conflict.errors.contains("--warm-start"))
        let other = try train(corpus, "second", "--lr", "1e-30")
        #expect(other.status == 1 && other.errors.contains("warm-start"), "\(other.errors)")
    }
}
