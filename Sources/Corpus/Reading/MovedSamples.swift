/// Readers hold rows of the catalogue for long; meanwhile `pack` may put the samples into another shard.
extension SampleReader {
    /// So many times in a row a sample may move while it is looked up.
    private static var patience: Int { 8 }

    /// Reads samples where these rows say, or where the catalogue says now if their shard has gone.
    func following<R>(
        _ rows: [CatalogueRow], _ body: ([CatalogueRow]) throws(CorpusError) -> R
    ) throws(CorpusError) -> R {
        var rows = rows
        for _ in 0..<Self.patience {
            do throws(CorpusError) { return try body(rows) } catch {
                guard error.code == .notFound else { throw error }
                let moved = try lookedUpAgain(rows)
                // The shard is where it was: it is lost, not replaced.
                guard zip(moved, rows).contains(where: { $0.shard != $1.shard }) else { throw error }
                rows = moved
            }
        }
        return try body(rows)
    }
}
