import CorpusStore
import Diffusion
import Foundation
import TestSupport
import Workflows

/// A corpus of two prompts with three candidates each, made by the bundled model in about a second.
struct SmallCorpus {
    let scratch: Scratch
    let corpus: Corpus
    let job: GenerationJob

    /// - Parameter isFilled: false for one that is empty so far.
    init(isFilled: Bool = true) throws {
        scratch = try Scratch()
        corpus = try Corpus.create(at: scratch.url("corpus"), scoring: TraceScores())
        job = try Self.job(scratch)
        if isFilled { _ = try job.run(into: corpus, monitor: Recorder()) }
    }

    static func job(_ scratch: Scratch, steps: Int = 3) throws -> GenerationJob {
        let prompts = try scratch.file("prompts.txt", "a red circle\r\n\na star and a cross\tshape\n\na red circle")
        var job = GenerationJob(
            prompts: URL(fileURLWithPath: prompts), model: ModelSource(folder: Repository.tinySD),
            denoising: DenoisingSettings(steps: steps, guidance: 7.5, sampler: .ddpm))
        (job.imagesPerPrompt, job.batch) = (3, 2)
        return job
    }

    /// The shard files' names, sorted.
    static func shards(_ corpus: Corpus) -> [String] {
        let files = FileManager.default.enumerator(atPath: corpus.folder.appending(path: "shards").path)
        return (files?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".h5") }.sorted()
    }
}
