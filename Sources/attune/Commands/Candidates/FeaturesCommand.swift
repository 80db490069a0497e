import ArgumentParser
import Foundation
import Workflows

struct FeaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Write feature vectors of images by a vision encoder, or of prompts by a text encoder.",
        discussion: """
            The encoder is a folder of transformers with safetensors, such as openai/clip-vit-large-patch14-336 or \
            facebook/dinov2-large; images are prepared as its preprocessor_config.json says. The file has the arrays \
            features (CLIP's image embeddings, or DINOv2's class token), file_names or ids, and encoder; attune \
            quality reads it, and NumPy. A file that is there is replaced. Stopped or killed, the same command resumes \
            after the images that are done. With --text the encoder is a model in the diffusers layout, whose text \
            encoder gives each sample the vector of its prompt. attune annotate --vectors takes the file into a corpus.
            """)

    @OptionGroup var options: EncoderOptions

    @Option(help: "The encoder's folder.", completion: .directory)
    var encoder: String

    @Option(help: "A folder of images, those in folders below it included.", completion: .directory)
    var images: String?

    @OptionGroup var store: CorpusOptions

    @Option(help: "A selection of the corpus (default: all of its samples).")
    var selection: String?

    @Option(name: .customLong("where"), help: "An SQL condition on the corpus's samples, as query takes.")
    var condition: String?

    @Flag(help: "Encode the samples' prompts by a model's text encoder, in place of the images.")
    var text = false

    @Flag(help: "Scale every vector to length 1.")
    var normalize = false

    @Option(help: "The .npz file to write.", completion: .file(extensions: ["npz"]))
    var to: String

    func validate() throws {
        if images != nil, store.corpus != nil || selection != nil || condition != nil {
            throw ValidationError("--images takes a folder's images: --corpus, --selection and --where do not apply")
        }
        if text, images != nil {
            throw ValidationError("--text takes the prompts of a corpus: --images does not apply")
        }
        if selection != nil, condition != nil {
            throw ValidationError("--selection takes a selection as it is: --where does not apply")
        }
    }

    @OptionGroup var output: OutputOptions

    func run() async throws {
        if text { return try encodePrompts() }
        let supply =
            try images.map { try ImageSupply(folder: URL(fileURLWithPath: $0, isDirectory: true)) }
            ?? ImageSupply(corpus: store.open(), selection: selection, condition: condition)
        var job = options.job(encoder)
        job.isNormalized = normalize
        let count = try TerminalMonitor.watch("features", unit: "images") { [job] in
            try job.run(over: supply, to: URL(fileURLWithPath: to), monitor: $0)
        }
        guard let count else {
            try Interruption.stop("stopped; the same command resumes after the images that are done")
        }
        print(output.json ? try jsonText(Written(vectors: count, file: to)) : "features of \(count) images in \(to)")
    }

    private func encodePrompts() throws {
        var job = PromptFeatureJob(model: URL(fileURLWithPath: encoder, isDirectory: true))
        (job.variant, job.ignoredFields, job.batch) = (
            options.copy.variant, options.config.ignoreConfig, options.batch
        )
        job.isNormalized = normalize
        let corpus = try store.open()
        let count = try TerminalMonitor.watch("features", unit: "prompts") { [job] in
            try job.run(
                over: corpus, selection: selection, condition: condition, to: URL(fileURLWithPath: to), monitor: $0)
        }
        guard let count else { try Interruption.stop("stopped; nothing was written") }
        print(output.json ? try jsonText(Written(vectors: count, file: to)) : "prompts of \(count) samples in \(to)")
    }

    private struct Written: Encodable {
        let vectors: Int
        let file: String
    }
}

/// How an encoder is run.
struct EncoderOptions: ParsableArguments {
    @OptionGroup var copy: VariantOption

    @OptionGroup var config: IgnoreConfigOptions

    @Option(help: "Batch size: images that are encoded together.")
    var batch = 16

    func validate() throws { try requirePositive(batch, "--batch", Bounds.batch) }

    /// - Parameter folder: the encoder's.
    func job(_ folder: String) -> FeatureJob {
        var job = FeatureJob(encoder: URL(fileURLWithPath: folder, isDirectory: true))
        (job.variant, job.ignoredFields, job.batch) = (copy.variant, config.ignoreConfig, batch)
        return job
    }
}
