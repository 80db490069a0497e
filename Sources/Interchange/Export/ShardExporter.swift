import CorpusStore
package import Foundation

/// Attune's own shards, in the order of the selection: everything about each sample, for another corpus; and vectors that
/// were imported.
package struct ShardExporter: Exporter {
    /// Samples in one shard, so that memory stays bounded.
    private let samples: Int

    package init(samplesPerFile samples: Int = 1000) { self.samples = samples }

    package var identity: String { "shard of \(samples) samples" }

    package func writePart(
        _ part: Int, from start: Int, of source: any ExportSource, into folder: URL, report: (Int) -> Void
    ) throws -> Int {
        let range = start..<min(start + samples, source.count)
        // The folder is itself a temporary one: unfinished files need no other, but those of a killed export must go.
        let files = AtomicFiles(temporaryFolder: folder)
        files.sweep()
        _ = try ShardWriter.write(source.records(range), to: folder, files: files)
        report(range.upperBound)
        return range.upperBound
    }

    package func finish(_ source: any ExportSource, in folder: URL) throws {
        let files = AtomicFiles(temporaryFolder: folder)
        try source.forEachVectors { set, revision, source in
            try set.write(revision: revision, source: source, to: folder, files: files)
        }
    }
}
