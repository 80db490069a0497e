package import Corpus
package import Foundation

/// One sample of a selection, as exporters of pictures see it.
package struct ExportSample: Sendable {
    package let id: String
    package let prompt: String
    /// The default estimate of mutual information; nil where a sample has none.
    package let mi: Double?
    /// The stored PNG file, byte for byte.
    package let png: Data

    package init(id: String, prompt: String, mi: Double?, png: Data) {
        self.id = id
        self.prompt = prompt
        self.mi = mi
        self.png = png
    }
}

/// Where exporters read from: an ordered list of samples, fetched one at a time so that a selection need not fit in
/// memory.
package protocol ExportSource {
    /// Sample ids in the order of the selection.
    var ids: [String] { get }
    func sample(_ id: String) throws -> ExportSample
    /// The sample with its latent, trace and provenance.
    func record(_ id: String) throws -> SampleRecord
}

/// A format that a selection can be written in.
///
/// A new format is one type that conforms to this and one case of ``ExportFormat``.
package protocol Exporter {
    /// Writes the whole export into `folder`, which exists and is empty.
    ///
    /// - Parameter report: told how many samples are written.
    func write(_ source: any ExportSource, into folder: URL, report: (Int) -> Void) throws
}

/// The formats by the names that `--format` takes.
package enum ExportFormat: String, CaseIterable, Sendable {
    case imagefolder
    case shard

    package var exporter: any Exporter {
        switch self {
        case .imagefolder: ImageFolderExporter()
        case .shard: ShardExporter()
        }
    }
}
