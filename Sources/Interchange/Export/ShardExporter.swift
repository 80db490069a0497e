import Corpus
package import Foundation

/// Attune's own shards, in the order of the selection: everything about each sample, for another corpus.
package struct ShardExporter: Exporter {
    /// Samples in one shard, so that memory stays bounded.
    private static let shardSize = 1000

    package init() {}

    package func write(_ source: any ExportSource, into folder: URL, report: (Int) -> Void) throws {
        // The folder is itself a temporary one: unfinished files need no other.
        let files = AtomicFiles(temporaryFolder: folder)
        for start in stride(from: 0, to: source.ids.count, by: Self.shardSize) {
            var records: [SampleRecord] = []
            for id in source.ids[start..<min(start + Self.shardSize, source.ids.count)] {
                records.append(try source.record(id))
                report(start + records.count)
            }
            _ = try ShardWriter.write(records, to: folder, files: files)
        }
    }
}
