import ArgumentParser
import Foundation
import Workflows

/// Settings of some formats.
struct ExportOptions: ParsableArguments {
    @Option(help: "webdataset, shard, latents: samples in one file at most (default: 10000, 1000, 1000).")
    var samplesPerFile: Int?

    @Option(help: "webdataset: bytes in one tar at most.")
    var bytesPerFile = 1_000_000_000

    @Option(help: "kohya: how often an epoch repeats each image.")
    var repeats = 10

    @Option(help: "kohya: the concept's name in the folder's name (default: the selection's name).")
    var concept: String?

    @Option(
        help: ArgumentHelp(
            "kohya: write captions with this extension only (default: .caption and .txt).", valueName: "extension"))
    var captionExtension: String?

    @Option(help: "latents: the model whose text encoder makes the prompt embeddings.", completion: .directory)
    var model: String?

    @OptionGroup var config: IgnoreConfigOptions

    @OptionGroup var copy: VariantOption

    func validate() throws {
        if model == nil, !config.ignoreConfig.isEmpty {
            throw ValidationError("--ignore-config is for the files of a model, and no --model was given")
        }
        if let samplesPerFile { try requirePositive(samplesPerFile, "--samples-per-file") }
        try requirePositive(bytesPerFile, "--bytes-per-file", 1...(1 << 50))
        try requirePositive(repeats, "--repeats", Bounds.repeats)
        if let concept, concept.isEmpty || concept.contains("/") {
            throw ValidationError("--concept is '\(concept)'; it becomes part of a folder's name")
        }
        if let captionExtension { try requireExtension(captionExtension) }
    }

    /// For a workflow to run.
    func job(_ format: ExportFormat) -> ExportJob {
        var job = ExportJob(format)
        (job.samplesPerFile, job.bytesPerFile) = (samplesPerFile, bytesPerFile)
        (job.repeats, job.concept) = (repeats, concept)
        if let captionExtension { job.captionExtensions = [withDot(captionExtension)] }
        job.model = ModelSource(model, copy, config)
        return job
    }
}

extension ModelSource {
    /// A model without an adapter; nil where none was given.
    init?(_ folder: String?, _ copy: VariantOption, _ config: IgnoreConfigOptions) {
        guard let folder else { return nil }
        self.init(folder: URL(fileURLWithPath: folder, isDirectory: true))
        (variant, ignoredFields) = (copy.variant, config.ignoreConfig)
    }
}

/// An extension as `.txt`, however it was given.
func withDot(_ text: String) -> String { text.hasPrefix(".") ? text : "." + text }

/// - Throws: a validation error for what cannot be the extension of a caption file.
func requireExtension(_ text: String) throws {
    let plain = withDot(text).dropFirst()
    guard !plain.isEmpty, !plain.contains("/"), !plain.contains(where: \.isWhitespace) else {
        throw ValidationError("--caption-extension is '\(text)'; give one such as .txt")
    }
}
