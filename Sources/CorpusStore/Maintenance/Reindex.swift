package import Foundation

extension Corpus {
    /// Derives the catalogue again from the shards alone, whatever state it is in.
    ///
    /// Others that use the corpus see the old rows until the new ones are complete.
    ///
    /// - Parameters:
    ///   - folder: the corpus.
    ///   - scoring: computes the scores of traces that the catalogue keeps.
    ///   - progress: told how many shards of how many have been read.
    /// - Returns: the corpus, and what is wrong with shards that could not be read.
    package static func reindex(
        at folder: URL, scoring: any TraceScoring, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(CorpusError) -> (corpus: Corpus, unreadable: [CorpusError]) {
        try check(folder)
        try requireWritable(folder)
        let corpus: Corpus
        do throws(CorpusError) {
            corpus = try Corpus(unindexed: folder, scoring: scoring)
        } catch {
            guard CatalogueAccess.writeProblem(cataloguePath(folder)) == nil else { throw error }
            // Not even SQLite can open it.
            Catalogue.discard(at: cataloguePath(folder))
            corpus = try Corpus(unindexed: folder, scoring: scoring)
        }
        // Files that have not changed since they were hashed are not hashed again: `verify` does that. A catalogue that
        // cannot say so is made again all the same.
        let stamps = (try? corpus.catalogue.stamps()) ?? [:]
        let unreadable = try corpus.maintained { () throws(CorpusError) in
            try corpus.refill(stamps, progress: progress)
        }
        return (corpus, unreadable)
    }
}
