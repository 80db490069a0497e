import ArgumentParser
import Foundation
import Interchange

/// The formats by the names that `--format` takes.
enum ExportFormat: String, CaseIterable, ExpressibleByArgument {
    case imagefolder, webdataset, kohya, shard, latents
    case compBench = "t2i-compbench"
}

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

    @Option(help: "latents: the model whose text encoder makes the prompt embeddings.", completion: .directory)
    var model: String?

    func validate() throws {
        if let samplesPerFile { try requirePositive(samplesPerFile, "--samples-per-file") }
        try requirePositive(bytesPerFile, "--bytes-per-file", 1...(1 << 50))
        try requirePositive(repeats, "--repeats", Bounds.repeats)
        if let concept, concept.isEmpty || concept.contains("/") {
            throw ValidationError("--concept is '\(concept)'; it becomes part of a folder's name")
        }
    }

    /// - Parameter selection: its name.
    func exporter(_ format: ExportFormat, of selection: String) throws -> any Exporter {
        switch format {
        case .imagefolder: return ImageFolderExporter()
        case .webdataset:
            return WebDatasetExporter(samplesPerFile: samplesPerFile ?? 10_000, bytesPerFile: bytesPerFile)
        case .kohya: return KohyaExporter(repeats: repeats, concept: concept ?? selection)
        case .shard: return ShardExporter(samplesPerFile: samplesPerFile ?? 1000)
        case .compBench: return CompBenchExporter()
        case .latents:
            guard let model else { throw ValidationError("--format latents needs --model") }
            return try LatentsExporter(
                model: URL(fileURLWithPath: model, isDirectory: true), samplesPerFile: samplesPerFile ?? 1000)
        }
    }
}
