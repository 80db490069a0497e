import ArgumentParser
import Corpus
import Diffusion
import Foundation
import Interchange

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take in pictures with captions, or shards that were written elsewhere.",
        discussion: """
            imagefolder reads metadata.jsonl or metadata.csv (file_name and text), kohya captions beside the pictures, \
            webdataset .tar, .tar.gz and folders of them; PNG and JPEG. With --model its VAE makes the latents that \
            score and train need. What the corpus has already is skipped, so the same command goes on after a stop. \
            shard takes shards of another corpus and batches that your own program wrote with h5py (docs/interchange.md).
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case imagefolder, webdataset, kohya, shard
    }

    @OptionGroup var store: CorpusOptions

    @Argument(help: "A folder or file.", completion: .file())
    var path: String

    @Option(help: "The layout to read.")
    var format: Format

    @Option(help: "A model's folder in the diffusers layout, whose VAE encodes the pictures.", completion: .directory)
    var model: String?

    @Option(help: "Width and height to bring pictures to (default: the model's; as they are without one).")
    var size: Int?

    @Option(help: "crop: scale and cut out the middle; stretch: scale; keep: as they are.")
    var fit = PictureFit.crop

    @Option(help: "The column or JSON member that captions are in.")
    var textColumn = "text"

    @Option(help: "Pictures that are sealed together.")
    var batch = 64

    @Option(help: "A name for what this command takes in, for queries.")
    var tag: String?

    @Flag(help: "Leave out pictures that cannot be read, with a line for each, instead of stopping at the first.")
    var skipUnreadable = false

    func validate() throws {
        try requirePositive(batch, "--batch", Bounds.batch)
        if let size, !(1...16384).contains(size) { throw ValidationError("--size is \(size); it must be 1 to 16384") }
        let forPictures = model != nil || size != nil || tag != nil || skipUnreadable
        if format == .shard, forPictures {
            throw ValidationError(
                "--format shard takes samples as they are: no --model, --size, --tag, --skip-unreadable")
        }
    }

    func run() async throws {
        let corpus = try store.open(writing: true, deciding: true)
        let url = URL(fileURLWithPath: path)
        Interruption.listen()
        let outcome = format == .shard ? try importShards(url, corpus) : try importPictures(url, corpus)
        guard outcome.isFinished else {
            try Interruption.stop("stopped; \(outcome.made) samples are sealed, the same command takes in the rest")
        }
        let leftOut = outcome.unreadable > 0 ? ", \(outcome.unreadable) could not be read" : ""
        print("\(outcome.made) samples imported, \(outcome.skipped) were there already\(leftOut)")
    }

    private func importShards(_ url: URL, _ corpus: Corpus) throws -> PictureImport.Outcome {
        let inspection = ShardInspection()
        let shards = try ShardImport(url, into: corpus) { try inspection($0, $1) }
        let bar = ProgressBar("import", total: shards.count, unit: "files")
        defer { bar.finish() }
        return try shards.run(isCancelled: { Interruption.isRequested }) { bar.update($0) }
    }

    private func importPictures(_ url: URL, _ corpus: Corpus) throws -> PictureImport.Outcome {
        let source = try source(url)
        let encoder = try model.map { try ImageEncoder(folder: URL(fileURLWithPath: $0, isDirectory: true)) }
        var settings = PictureImport.Settings()
        (settings.tag, settings.fit, settings.batch) = (tag, fit, batch)
        settings.skipsUnreadable = skipUnreadable
        settings.size = fit == .keep ? nil : size ?? encoder?.imageSize
        let bar = ProgressBar("import", total: source.count, unit: "pictures")
        defer { bar.finish() }
        return try PictureImport(corpus, encoder: encoder, settings: settings)
            .run(
                source, isCancelled: { Interruption.isRequested }, report: { bar.update($0) }, warn: standardError)
    }

    private func source(_ url: URL) throws -> any PictureSource {
        switch format {
        case .imagefolder: try PictureFolder.imageFolder(url, text: textColumn)
        case .webdataset: try WebDatasetArchive(url, text: textColumn)
        case .kohya, .shard: try PictureFolder.kohya(url)
        }
    }
}

extension PictureFit: ExpressibleByArgument {}
