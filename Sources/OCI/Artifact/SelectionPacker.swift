package import CorpusStore
import Foundation

/// Cuts a selection into groups of samples that become shards of their own.
///
/// Groups follow from the ids alone: samples are sorted by id, and a group ends after an id whose last byte is small. So
/// the same samples give the same shards wherever they are packed, and a selection that has changed a little shares most
/// of its shards with what it was.
package struct SelectionPacker: Sendable {
    let corpus: Corpus

    package init(_ corpus: Corpus) { self.corpus = corpus }

    /// Samples in the order in which they are packed.
    struct Group: Sendable {
        var rows: [CatalogueRow] = []
        /// Bytes of the raw pixels: a measure of memory that follows from the samples alone.
        var weight = 0
    }

    private static let smallest = 16
    private static let largest = 512
    private static let heaviest = 256 << 20

    static func groups(_ rows: some Sequence<CatalogueRow>) -> [Group] {
        var groups: [Group] = []
        var current = Group()
        for row in rows.sorted(by: { $0.id < $1.id }) {
            current.rows.append(row)
            current.weight += 3 * row.width * row.height
            // One id in 128 ends in 00 or 01.
            let isBoundary = row.id.lastByte <= 1
            let isFull = current.rows.count >= largest || current.weight >= heaviest
            if isFull || (isBoundary && current.rows.count >= smallest) {
                groups.append(current)
                current = Group()
            }
        }
        if !current.rows.isEmpty { groups.append(current) }
        return groups
    }

    /// A group as the bytes of one shard.
    func pack(_ group: Group) throws(CorpusError) -> Data {
        var records: [Digest: SampleRecord] = [:]
        for (shard, rows) in Dictionary(grouping: group.rows, by: \.shard) {
            let found = try corpus.open(shard).records(rows.map(\.row))
            for (row, record) in zip(rows, found) { records[row.id] = record }
        }
        return try ShardWriter.pack(group.rows.compactMap { records[$0.id] })
    }
}
