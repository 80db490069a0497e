import ArgumentParser
import Corpus
import Diffusion
import Foundation
import Interchange

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import images with captions, or shards that were written elsewhere.",
        discussion: """
            imagefolder reads metadata.jsonl or metadata.csv (file_name and text), kohya captions beside the images, \
            webdataset .tar, .tar.gz and folders of them; PNG, JPEG and WebP. With --model its VAE makes the latents \
            that score and train need. What the corpus has already is skipped, so the same command resumes after a stop. \
            shard takes shards of another corpus and batches that your own program wrote with h5py (docs/interchange.md). \
            The last line counts every sample: imported, already present, skipped and why.
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case imagefolder, webdataset, kohya, shard
    }

    @OptionGroup var store: CorpusOptions

    @Argument(help: "A folder or file.", completion: .file())
    var path: String

    @Option(help: "The layout to read.")
    var format: Format

    @Option(help: "A model's folder in the diffusers layout, whose VAE encodes the images.", completion: .directory)
    var model: String?

    @OptionGroup var config: IgnoreConfigOptions

    @OptionGroup var copy: VariantOption

    @Option(help: "Width and height to bring images to (default: the model's; as they are without one).")
    var size: Int?

    @Option(help: "crop: scale and cut out the middle; stretch: scale; keep: as they are (default: crop).")
    var fit: PictureFit?

    @Option(
        help: ArgumentHelp(
            "imagefolder: the column of captions; webdataset: the .json member or the ending, before any .txt (default: text).",
            valueName: "name"))
    var textColumn: String?

    @Option(
        help: ArgumentHelp(
            "kohya: the extension of caption files (default: .caption, then .txt).", valueName: "extension"))
    var captionExtension: String?

    @Option(help: "The most pixels an image may have; larger ones are refused before memory is taken for them.")
    var maxPixels = PictureImport.Settings().largest

    @Option(help: "Images that are sealed together.")
    var batch = 64

    @Option(help: "A name for what this command imports, for queries.")
    var tag: String?

    @Flag(help: "Skip samples that cannot be imported, with a line for each, instead of stopping at the first.")
    var skipUnreadable = false

    func validate() throws {
        try requirePositive(batch, "--batch", Bounds.batch)
        if let size, !(1...16384).contains(size) { throw ValidationError("--size is \(size); it must be 1 to 16384") }
        if model == nil, !config.ignoreConfig.isEmpty {
            throw ValidationError("--ignore-config is for the files of a model, and no --model was given")
        }
        try requirePositive(maxPixels, "--max-pixels")
        if textColumn != nil, format != .imagefolder, format != .webdataset {
            throw ValidationError("--text-column is for imagefolder and webdataset; for kohya give --caption-extension")
        }
        if let captionExtension {
            guard format == .kohya else {
                throw ValidationError("--caption-extension is for kohya; for the others give --text-column")
            }
            try requireExtension(captionExtension)
        }
        if fit == .keep, size != nil { throw ValidationError("--fit keep leaves images as they are: no --size") }
        let forPictures = model != nil || size != nil || tag != nil || fit != nil || skipUnreadable
        if format == .shard, forPictures {
            throw ValidationError(
                "--format shard takes samples as they are: no --model, --size, --fit, --tag, --skip-unreadable")
        }
    }

    func run() async throws {
        let corpus = try store.open(writing: true, deciding: true)
        let url = URL(fileURLWithPath: path)
        let tally = ImportTally(skips: skipUnreadable, warn: standardError)
        Interruption.listen()
        let outcome = format == .shard ? try importShards(url, corpus) : try importPictures(url, corpus, tally)
        guard outcome.isFinished else {
            try Interruption.stop("stopped; \(outcome.made) samples are sealed, the same command imports the rest")
        }
        for note in tally.notes { standardError("note: \(note)") }
        let skipped = tally.count > 0 ? ", \(tally.count) skipped: \(tally.summary)" : ""
        print("\(outcome.made) samples imported, \(outcome.skipped) already present\(skipped)")
    }

    private func importShards(_ url: URL, _ corpus: Corpus) throws -> PictureImport.Outcome {
        let inspection = ShardInspection()
        let shards = try ShardImport(url, into: corpus) { try inspection($0, $1) }
        let bar = ProgressBar("import", total: shards.count, unit: "files")
        defer { bar.finish() }
        return try shards.run(isCancelled: { Interruption.isRequested }) { bar.update($0) }
    }

    private func importPictures(_ url: URL, _ corpus: Corpus, _ tally: ImportTally) throws -> PictureImport.Outcome {
        let source = try source(url, tally)
        let encoder = try model.map {
            try ImageEncoder(
                folder: URL(fileURLWithPath: $0, isDirectory: true), variant: copy.variant, ignoring: config.fields)
        }
        var settings = PictureImport.Settings()
        (settings.tag, settings.fit, settings.batch) = (tag, fit ?? .crop, batch)
        settings.largest = maxPixels
        settings.size = fit == .keep ? nil : size ?? encoder?.imageSize
        let bar = ProgressBar("import", total: source.count, unit: "images")
        defer { bar.finish() }
        return try PictureImport(corpus, encoder: encoder, settings: settings, tally: tally)
            .run(source, isCancelled: { Interruption.isRequested }, report: { bar.update($0) })
    }

    private func source(_ url: URL, _ tally: ImportTally) throws -> any PictureSource {
        switch format {
        case .imagefolder: return try PictureFolder.imageFolder(url, text: textColumn ?? "text", tally: tally)
        case .webdataset: return try WebDatasetArchive(url, text: textColumn, tally: tally)
        case .kohya, .shard:
            let extensions = captionExtension.map { [withDot($0).lowercased()] } ?? PictureFolder.captionExtensions
            return try PictureFolder.kohya(url, captions: extensions, tally: tally)
        }
    }
}

extension PictureFit: ExpressibleByArgument {}
