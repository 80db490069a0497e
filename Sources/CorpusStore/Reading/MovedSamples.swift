/// Readers hold rows of the catalogue for long; meanwhile `pack` may put the samples into another shard.
extension SampleReader {
    /// So many times in a row a sample may move while it is looked up.
    private static var patience: Int { 8 }

    /// Reads samples where these rows say, or where the catalogue says now if their shard has gone.
    func following<R>(
        _ rows: [CatalogueRow], _ body: ([CatalogueRow]) throws(CorpusError) -> R
    ) throws(CorpusError) -> R {
        var rows = rows
        for attempt in 0..<Self.patience {
            do throws(CorpusError) { return try body(rows) } catch {
                guard error.code == .notFound else { throw error }
                let moved = try lookedUpAgain(rows)
                // The shard is where it was: it is lost, not replaced. Once, it is opened again: over NFS an open file is
                // gone when another host has put the same bytes in its place.
                let isElsewhere = zip(moved, rows).contains { $0.shard != $1.shard }
                guard isElsewhere || attempt == 0 else { throw error }
                rows = moved
            }
        }
        return try body(rows)
    }
}
