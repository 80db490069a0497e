import ArgumentParser
import Diffusion
import Foundation
import Workflows

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Fill a corpus with candidates, scored by mutual information as they are made.",
        discussion: """
            Candidate i of every prompt uses seed + i. What the corpus has already is skipped, so the same command goes \
            on after a stop, and any number of processes may fill one corpus. At --guidance 1 and below there is no \
            guidance: the model is asked once per step, under the prompt, and the trace has no values (attune score \
            measures such images). With a negative prompt the model is asked three times a step, so that the score \
            still compares with the empty prompt; --mi-negative saves the third. docs/models.md says which models and \
            samplers are followed.
            """)

    @OptionGroup var store: CorpusOptions

    @OptionGroup var source: ModelOptions

    @Option(help: "A file of prompts, one a line.", completion: .file())
    var prompts: String

    @Option(help: "Candidates for each prompt.")
    var imagesPerPrompt = 50

    @Option(help: "Denoising steps.")
    var steps = 100

    @Option(help: "The scale of classifier-free guidance; 1 and below: none.")
    var guidance = 7.5

    @Option(help: SamplerKind.help)
    var sampler = SamplerKind.ddpm

    @OptionGroup var image: ImageOptions

    @Flag(help: "Let the score compare with the negative prompt, not with the empty one.")
    var miNegative = false

    @Option(help: "The seed of each prompt's first candidate.")
    var seed: UInt64 = 42

    @Option(help: "Images that are made together and sealed as one shard.")
    var batch = 16

    @Option(help: "A name for what this command makes, for queries.")
    var tag: String?

    @Option(help: "Work on the i-th of n parts of the prompts, counted from 1.")
    var part = Part.all

    func validate() throws {
        try requirePositive(steps, "--steps")
        try requirePositive(imagesPerPrompt, "--images-per-prompt", Bounds.imagesPerPrompt)
        try requirePositive(batch, "--batch", Bounds.batch)
        try requireSense(guidance: guidance, image)
        if miNegative, image.negativePrompt == nil {
            throw ValidationError("--mi-negative needs a --negative-prompt to compare with")
        }
    }

    func run() async throws {
        let corpus = try store.open(writing: true, deciding: true)
        var denoising = DenoisingSettings(steps: steps, guidance: guidance, sampler: sampler)
        image.apply(to: &denoising)
        denoising.baseline = miNegative ? .negativePrompt : .emptyPrompt
        var job = GenerationJob(prompts: URL(fileURLWithPath: prompts), model: source.source, denoising: denoising)
        (job.part, job.imagesPerPrompt, job.seed, job.batch, job.tag) = (part, imagesPerPrompt, seed, batch, tag)
        let outcome = try TerminalMonitor.watch("generate", unit: "images") { [job] in
            try job.run(into: corpus, monitor: $0)
        }
        guard outcome.isFinished else {
            try Interruption.stop("stopped; \(outcome.made) images are sealed, the same command makes the rest")
        }
        print("\(outcome.made) images made, \(outcome.skipped) already present")
        if outcome.failed > 0 {
            throw Failure(
                "\(outcome.failed) of \(outcome.total) images came out with values that are not finite numbers; the others are kept"
            )
        }
    }
}
