package import CorpusStore
import Diffusion
package import Foundation
import Interchange

/// The formats by the names that `--format` takes.
package enum ExportFormat: String, CaseIterable, Sendable {
    case imagefolder, webdataset, kohya, shard, latents
    case compBench = "t2i-compbench"
}

/// What `attune export` does: writes a selection in a format that other programs read.
package struct ExportJob: Sendable {
    package let format: ExportFormat
    /// webdataset, shard, latents: samples in one file at most; nil for the format's own number.
    package var samplesPerFile: Int?
    /// webdataset: bytes in one tar at most.
    package var bytesPerFile = 1_000_000_000
    /// kohya: how often an epoch repeats each image.
    package var repeats = 10
    /// kohya: the concept's name in the folder's name; nil for the selection's name.
    package var concept: String?
    /// kohya: the extensions of caption files, each with its dot.
    package var captionExtensions = CaptionedFolder.captionExtensions
    /// latents: whose text encoder makes the prompt embeddings.
    package var model: ModelSource?

    package init(_ format: ExportFormat) { self.format = format }

    /// Writes the selection.
    ///
    /// - Parameters:
    ///   - name: the selection's.
    ///   - destination: a folder that appears whole or not at all; a call that was stopped is resumed.
    /// - Throws: ``CorpusError``, ``ExportError``; ``UsageError`` where latents are asked for without a model.
    package func run(_ name: String, of corpus: Corpus, to destination: URL, monitor: some WorkMonitor) throws
        -> WorkOutcome
    {
        let source = try SelectionExportSource(name, in: corpus)
        let destination = try ExportDestination(destination)
        let exporter = try exporter(of: name)
        var outcome = WorkOutcome(total: source.count)
        monitor.begin(total: source.count)
        outcome.isFinished = try Export(source, exporter).run(
            to: destination, isCancelled: { monitor.isCancelled }, report: monitor.update)
        return outcome
    }

    private func exporter(of selection: String) throws -> any Exporter {
        switch format {
        case .imagefolder: return ImageFolderExporter()
        case .webdataset:
            return WebDatasetExporter(samplesPerFile: samplesPerFile ?? 10_000, bytesPerFile: bytesPerFile)
        case .kohya:
            return KohyaExporter(repeats: repeats, concept: concept ?? selection, captions: captionExtensions)
        case .shard: return ShardExporter(samplesPerFile: samplesPerFile ?? 1000)
        case .compBench: return CompBenchExporter()
        case .latents:
            guard let model else { throw UsageError("--format latents needs --model") }
            return try LatentsExporter(
                model: model.folder, variant: model.variant, samplesPerFile: samplesPerFile ?? 1000,
                ignoring: IgnoredFields(model.ignoredFields))
        }
    }
}
