import Foundation
import GRDB

/// Answers what someone who looks through a corpus asks: page by page, in bounded time and memory.
package final class CatalogueBrowser: Sendable {
    /// What a question may cost.
    package struct Limits: Sendable {
        package var seconds: Double
        /// Samples of a listing; what comes after them is left out, and the listing says so.
        package var samples: Int

        package init(seconds: Double = 5, samples: Int = 200_000) { (self.seconds, self.samples) = (seconds, samples) }
    }

    package let limits: Limits
    private let corpus: Corpus
    private let connections: BoundedConnections
    private let watch: BoundedConnections

    package init(_ corpus: Corpus, limits: Limits = Limits()) {
        (self.corpus, self.limits) = (corpus, limits)
        connections = BoundedConnections(path: corpus.catalogue.path, kept: 4)
        watch = BoundedConnections(path: corpus.catalogue.path, kept: 1)
    }

    /// A number that another writer's change to the catalogue changes; this process's own changes do, too.
    package func version() throws(CorpusError) -> Int64 {
        try explained("the catalogue", []) {
            // One connection alone: the number means something only to the connection that it was asked of.
            try watch.read(seconds: limits.seconds) { try Int64.fetchOne($0, sql: "PRAGMA data_version") ?? 0 }
        }
    }

    /// The columns of conditions and rankings, with those of annotations.
    package func columns() throws(CorpusError) -> (own: [String], scorers: [String]) {
        (CatalogueRow.columns, try corpus.scorers())
    }

    /// Runs `body` and tells of its failure as `attune query` does.
    ///
    /// - Parameter subject: the condition or ranking that somebody gave.
    func explained<R>(_ subject: String, _ scorers: [String], _ body: () throws -> R) throws(CorpusError) -> R {
        do { return try body() } catch let error as CorpusError { throw error } catch let error as DatabaseError {
            if error.resultCode == .SQLITE_INTERRUPT {
                throw CorpusError(
                    .badQuery, subject,
                    "takes longer than the \(Int(limits.seconds)) seconds that a page may take: narrow it down, or use `attune query`"
                )
            }
            if error.resultCode == .SQLITE_BUSY || error.resultCode == .SQLITE_LOCKED {
                throw CorpusError(.io, corpus.catalogue.path, "is being written to for long; try again in a moment")
            }
            let quoted = scorers.map { Annotations.needsQuotes($0) ? "\"\($0)\"" : $0 }
            throw CorpusError(
                .badQuery, subject,
                "\(error.message ?? "cannot be run"); columns: "
                    + (CatalogueRow.columns + quoted).joined(separator: ", "))
        } catch {
            throw CorpusError(.io, corpus.catalogue.path, "\(error)")
        }
    }

    /// Runs `body` on a connection that only reads.
    func read<R>(_ subject: String, _ body: (Database) throws -> R) throws(CorpusError) -> R {
        let scorers = try corpus.scorers()
        return try explained(subject, scorers) { try connections.read(seconds: limits.seconds, body) }
    }
}

extension CatalogueQuery {
    /// What errors name.
    var subject: String { condition ?? by ?? "query" }
}
