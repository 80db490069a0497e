import ArgumentParser
import CorpusStore
import Foundation
import Interchange
import Workflows

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import images with captions, or shards that were written elsewhere.",
        discussion: """
            imagefolder reads metadata.jsonl or metadata.csv (file_name and text), kohya captions beside the images, \
            webdataset .tar, .tar.gz and folders of them; PNG, JPEG and WebP. With --model its VAE makes the latents \
            that score and train need. What is already present is skipped, so the same command resumes after a stop. \
            shard takes shards of another corpus and batches that your own program wrote with h5py (docs/interchange.md). \
            The last line counts every sample: imported, already present, skipped and why.
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "A folder or file.", completion: .file())
    var path: String

    @Option(help: "The layout to read.")
    var format: ImportJob.Format

    @Option(help: "A model's folder in the diffusers layout, whose VAE encodes the images.", completion: .directory)
    var model: String?

    @OptionGroup var config: IgnoreConfigOptions

    @OptionGroup var copy: VariantOption

    @Option(help: "Width and height to bring images to (default: the model's; as they are without one).")
    var size: Int?

    @Option(help: "crop: scale and cut out the middle; stretch: scale; keep: as they are (default: crop).")
    var fit: ImageFit?

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
    var maxPixels = ImageImport.Settings().largest

    @Option(help: "Images that are sealed together.")
    var batch = 64

    @Option(help: "A name for what this command imports, for queries.")
    var tag: String?

    @Flag(help: "Skip samples that cannot be imported, with a line for each, instead of stopping at the first.")
    var skipUnreadable = false

    @OptionGroup var partition: PartOption

    @OptionGroup var stop: StopOptions

    @OptionGroup var output: OutputOptions

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
        let forImages = model != nil || size != nil || tag != nil || fit != nil || skipUnreadable
        if format == .shard, forImages {
            throw ValidationError(
                "--format shard takes samples as they are: no --model, --size, --fit, --tag, --skip-unreadable")
        }
    }

    func run() async throws {
        let part = try partition.resolved()
        stop.begin()
        let corpus = try store.open(writing: true, deciding: true)
        var job = job
        (job.part, job.array) = (part, partition.array)
        let report = try TerminalMonitor.watch("import", unit: format == .shard ? "files" : "images") { [job] in
            try job.run(into: corpus, inspection: .byThisCommand, monitor: $0)
        }
        let (outcome, tally) = (report.outcome, report.tally)
        guard outcome.isFinished else {
            try Interruption.stop("stopped; \(outcome.made) samples are sealed, the same command imports the rest")
        }
        for note in tally.notes { standardError("note: \(note)") }
        let skipped = tally.count > 0 ? ", \(tally.count) skipped: \(tally.summary)" : ""
        let vectors = outcome.vectors > 0 ? ", \(counted(outcome.vectors, "vector"))" : ""
        try output.print(
            Imported(made: outcome.made, present: outcome.skipped, skipped: tally.count, vectors: outcome.vectors),
            "\(outcome.made) samples imported, \(outcome.skipped) already present\(skipped)\(vectors)")
    }

    private struct Imported: Encodable {
        /// Of images or samples; `skipped` could not be read.
        let made, present, skipped: Int
        let vectors: Int
    }

    private var job: ImportJob {
        var job = ImportJob(format, at: URL(fileURLWithPath: path))
        job.model = ModelSource(model, copy, config)
        (job.size, job.fit, job.largest) = (size, fit ?? .crop, maxPixels)
        job.textColumn = textColumn
        if let captionExtension { job.captionExtensions = [withDot(captionExtension).lowercased()] }
        (job.batch, job.tag, job.skipsUnreadable) = (batch, tag, skipUnreadable)
        return job
    }
}
