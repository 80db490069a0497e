package import CorpusStore
import Diffusion
package import Foundation
package import Interchange

/// What `attune import` does: images with captions, or shards that were written elsewhere, into a corpus.
package struct ImportJob: Sendable {
    /// The layouts by the names that `--format` takes.
    package enum Format: String, CaseIterable, Sendable {
        case imagefolder, webdataset, kohya, shard
    }

    /// What an import has come to.
    package struct Report {
        package let outcome: ImageImport.Outcome
        /// What was left out, and what the user should know.
        package let tally: ImportTally
    }

    package let format: Format
    /// A folder or file.
    package let place: URL
    /// Whose VAE encodes the images; nil for images without latents.
    package var model: ModelSource?
    /// Width and height to bring images to; nil for the model's, and without a model as they are.
    package var size: Int?
    package var fit = ImageFit.crop
    /// imagefolder: the column of captions; webdataset: the member or ending; nil for `text`.
    package var textColumn: String?
    /// kohya: the extensions of caption files, each with its dot.
    package var captionExtensions = CaptionedFolder.captionExtensions
    /// The most pixels an image may have.
    package var largest = ImageImport.Settings().largest
    /// Images that are sealed together.
    package var batch = 64
    /// The images, or shards, that are taken.
    package var part = Part.all
    /// A name for what is imported, for queries.
    package var tag: String?
    /// Of the workers that share the job, where it is a part.
    package var array = ArrayCheck()
    /// Leave out what cannot be imported, instead of stopping there.
    package var skipsUnreadable = false

    package init(_ format: Format, at place: URL) { (self.format, self.place) = (format, place) }

    /// Imports what the corpus lacks.
    ///
    /// - Parameter inspection: checks shards before they are parsed in this process.
    /// - Throws: ``ImportError``, ``CorpusError``, ``ModelError``; what was sealed before stays.
    package func run(
        into corpus: Corpus, inspection: ShardInspection, monitor: some WorkMonitor
    ) throws -> Report {
        let tally = ImportTally(skips: skipsUnreadable, warn: { monitor.warn($0) })
        let outcome =
            format == .shard
            ? try importShards(corpus, inspection, monitor) : try importImages(corpus, tally, monitor)
        return Report(outcome: outcome, tally: tally)
    }

    private func importShards(
        _ corpus: Corpus, _ inspection: ShardInspection, _ monitor: some WorkMonitor
    ) throws -> ImageImport.Outcome {
        let shards = try ShardImport(place, into: corpus, taking: part.has(place:)) { try inspection($0, $1) }
        monitor.begin(total: shards.count)
        return try shards.run(isCancelled: { monitor.isCancelled }, report: monitor.update)
    }

    private func importImages(
        _ corpus: Corpus, _ tally: ImportTally, _ monitor: some WorkMonitor
    ) throws -> ImageImport.Outcome {
        var source = try source(tally)
        if part != .all { source = PartOfImages(source: source, part: part) }
        let encoder = try model.map {
            try ImageEncoder(folder: $0.folder, variant: $0.variant, ignoring: IgnoredFields($0.ignoredFields))
        }
        var settings = ImageImport.Settings()
        (settings.tag, settings.fit, settings.batch) = (tag, fit, batch)
        settings.largest = largest
        settings.size = fit == .keep ? nil : size ?? encoder?.imageSize
        let membership = try array.join(
            part, of: "import", on: place.lastPathComponent, tag: tag,
            settings: [
                "the model": encoder?.digest, "--format": format.rawValue, "--fit": fit.rawValue,
                "--size": settings.size.map { String($0) }, "--batch": String(batch),
            ], in: corpus, warn: monitor.warn)
        defer { withExtendedLifetime(membership) {} }
        monitor.begin(total: source.count)
        return try ImageImport(corpus, encoder: encoder, settings: settings, tally: tally)
            .run(source, isCancelled: { monitor.isCancelled }, report: monitor.update)
    }

    private func source(_ tally: ImportTally) throws -> any ImageSource {
        switch format {
        case .imagefolder: return try CaptionedFolder.imageFolder(place, text: textColumn ?? "text", tally: tally)
        case .webdataset: return try WebDatasetArchive(place, text: textColumn, tally: tally)
        case .kohya, .shard: return try CaptionedFolder.kohya(place, captions: captionExtensions, tally: tally)
        }
    }
}
