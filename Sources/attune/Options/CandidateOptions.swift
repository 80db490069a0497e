import ArgumentParser
import Diffusion
import Foundation
import Workflows

/// Which images a prompt file asks for: what `generate` makes, and `missing` looks for.
struct CandidateOptions: ParsableArguments {
    @OptionGroup var source: ModelOptions

    @Option(help: "A file of prompts, one per line.", completion: .file())
    var prompts: String

    @Option(help: "Candidates per prompt.")
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

    @OptionGroup var pruning: PruningOptions

    func validate() throws {
        try requirePositive(steps, "--steps")
        try requirePositive(imagesPerPrompt, "--images-per-prompt", Bounds.imagesPerPrompt)
        try requireSense(guidance: guidance, image)
        if miNegative, image.negativePrompt == nil {
            throw ValidationError("--mi-negative needs a --negative-prompt to compare with")
        }
    }

    /// For a workflow to make or to look for.
    var job: GenerationJob {
        var denoising = DenoisingSettings(steps: steps, guidance: guidance, sampler: sampler)
        image.apply(to: &denoising)
        denoising.baseline = miNegative ? .negativePrompt : .emptyPrompt
        var job = GenerationJob(prompts: URL(fileURLWithPath: prompts), model: source.source, denoising: denoising)
        (job.imagesPerPrompt, job.seed, job.pruning) = (imagesPerPrompt, seed, pruning.settings)
        return job
    }
}
