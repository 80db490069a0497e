import ArgumentParser
import Diffusion
import Foundation

struct SampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Make images from prompts into a plain folder, outside any corpus.",
        discussion: "Image i of every prompt uses seed + i. The same command makes only what is missing.")

    @OptionGroup var source: ModelOptions

    @Option(help: "A file of prompts, one a line.", completion: .file())
    var prompts: String

    @Option(help: "The folder to fill.", completion: .directory)
    var to: String

    @Option(help: "The scale of classifier-free guidance.")
    var guidance = 7.5

    @Option(help: "Denoising steps.")
    var steps = 50

    @Option(help: "The sampler.")
    var sampler = SamplerKind.ddim

    @Option(help: "Images for each prompt.")
    var imagesPerPrompt = 10

    @Option(help: "The seed of each prompt's first image.")
    var seed: UInt64 = 42

    @Option(help: "Images that are made together.")
    var batch = 16

    func validate() throws {
        try requirePositive(steps, "--steps")
        try requirePositive(imagesPerPrompt, "--images-per-prompt", Bounds.imagesPerPrompt)
        try requirePositive(batch, "--batch", Bounds.batch)
        try requireGuidance(guidance)
    }

    func run() async throws {
        let prompts = try PromptFile(URL(fileURLWithPath: prompts)).prompts
        _ = try totalImages(
            prompts: prompts.count, imagesPerPrompt: imagesPerPrompt, limit: Bounds.imageFiles)
        let denoising = DenoisingSettings(steps: steps, guidance: guidance, sampler: sampler)
        let maker = try CandidateMaker(source, denoising)
        let folder = try SampleFolder(
            URL(fileURLWithPath: to),
            settings: .init(
                model: maker.model.digest, adapter: maker.adapter, steps: steps, guidance: guidance,
                sampler: sampler.rawValue, prompts: prompts))
        let images = SampleFolder.images(prompts: prompts, imagesPerPrompt: imagesPerPrompt, seed: seed)
        Interruption.listen()
        let bar = ProgressBar("sample", total: images.count, unit: "images")
        let outcome = try ImageSampler(maker: maker, folder: folder, batch: batch).run(
            images, isCancelled: { Interruption.isRequested }, report: { done, _ in bar.update(done) },
            warn: standardError)
        bar.finish()
        guard outcome.isFinished else {
            try Interruption.stop("stopped after \(outcome.made) images; the same command makes the rest")
        }
        print("\(images.count) images in \(to) (\(outcome.made) made now)")
    }
}
