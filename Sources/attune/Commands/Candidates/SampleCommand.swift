import ArgumentParser
import Diffusion
import Foundation
import Workflows

struct SampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Make images from prompts into a plain folder, outside any corpus.",
        discussion: """
            Image i of every prompt uses seed + i. The same command makes only what is missing. docs/models.md says which \
            models and samplers are followed.
            """)

    @OptionGroup var source: ModelOptions

    @Option(help: "A file of prompts, one per line.", completion: .file())
    var prompts: String

    @Option(help: "The folder to fill.", completion: .directory)
    var to: String

    @Option(help: "The scale of classifier-free guidance; 1 and below: none, as turbo models want it.")
    var guidance = 7.5

    @Option(help: "Denoising steps.")
    var steps = 50

    @Option(help: SamplerKind.help)
    var sampler = SamplerKind.ddim

    @OptionGroup var image: ImageOptions

    @Option(help: "Images per prompt.")
    var imagesPerPrompt = 10

    @Option(help: "The seed of each prompt's first image.")
    var seed: UInt64 = 42

    @Option(help: "Batch size: images that are made together.")
    var batch = 16

    @OptionGroup var output: OutputOptions

    func validate() throws {
        try requirePositive(steps, "--steps")
        try requirePositive(imagesPerPrompt, "--images-per-prompt", Bounds.imagesPerPrompt)
        try requirePositive(batch, "--batch", Bounds.batch)
        try requireSense(guidance: guidance, image)
    }

    func run() async throws {
        var denoising = DenoisingSettings(steps: steps, guidance: guidance, sampler: sampler)
        image.apply(to: &denoising)
        denoising.baseline = .none
        var job = SamplingJob(prompts: URL(fileURLWithPath: prompts), model: source.source, denoising: denoising)
        (job.imagesPerPrompt, job.seed, job.batch) = (imagesPerPrompt, seed, batch)
        let outcome = try TerminalMonitor.watch("sample", unit: "images") { [job] in
            try job.run(into: URL(fileURLWithPath: to), monitor: $0)
        }
        guard outcome.isFinished else {
            try Interruption.stop("stopped after \(outcome.made) images; the same command makes the rest")
        }
        try output.print(
            WorkReport(outcome), "\(outcome.total - outcome.failed) images in \(to) (\(outcome.made) made now)")
        if outcome.failed > 0 {
            throw Failure(
                "\(outcome.failed) of \(outcome.total) images came out with values that are not finite numbers; the others "
                    + "are in \(to)")
        }
    }
}
