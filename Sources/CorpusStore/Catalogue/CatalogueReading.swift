import Foundation
import GRDB

/// What users ask of a catalogue, over connections that cannot write.
extension Catalogue {
    /// Calls `body` with each chosen sample, in order, as SQLite finds it: memory does not grow with their number.
    func forEachRow(
        _ query: CatalogueQuery, _ body: (CatalogueRow) throws(CorpusError) -> Void
    ) throws(CorpusError) {
        try asked(query) { database in
            let reader = try RowReader(database, by: "key")
            let keys = try Int64?.fetchCursor(database, sql: query.sql("_sample", Self.scorers(database)))
            while let key = try keys.next() {
                if let key, let row = try reader.row(key) { try body(row) }
            }
        }
    }

    func rows(_ query: CatalogueQuery) throws(CorpusError) -> [CatalogueRow] {
        var rows: [CatalogueRow] = []
        try forEachRow(query) { rows.append($0) }
        return rows
    }

    func ids(_ query: CatalogueQuery) throws(CorpusError) -> [Digest] {
        try asked(query) { database in
            var ids: [Digest] = []
            let cursor = try Row.fetchCursor(database, sql: query.sql("_id", Self.scorers(database)))
            while let row = try cursor.next() {
                try row.withUnsafeData(atIndex: 0) { data in
                    if let data, let id = Digest(data: data) { ids.append(id) }
                }
            }
            return ids
        }
    }

    func count(_ query: CatalogueQuery) throws(CorpusError) -> Int {
        try asked(query) { try Int.fetchOne($0, sql: query.countSQL(Self.scorers($0))) ?? 0 }
    }

    /// The rows of some samples; one that is not there is left out.
    func rows(of ids: [Digest]) throws(CorpusError) -> [Digest: CatalogueRow] {
        try Self.explained(path) {
            try writer.read { database in
                let reader = try RowReader(database, by: "id")
                var rows: [Digest: CatalogueRow] = [:]
                for id in ids { rows[id] = try reader.row(id) }
                return rows
            }
        }
    }

    /// The rows made by some recipes, by those; of several samples of one recipe any.
    func rows(ofRecipes recipes: [Digest]) throws(CorpusError) -> [Digest: CatalogueRow] {
        try Self.explained(path) {
            try writer.read { database in
                let reader = try RowReader(database, by: "recipe")
                var rows: [Digest: CatalogueRow] = [:]
                for recipe in recipes { rows[recipe] = try reader.row(recipe) }
                return rows
            }
        }
    }

    private func asked<R>(_ query: CatalogueQuery, _ body: (Database) throws -> R) throws(CorpusError) -> R {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(60)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA cache_size = -65536") }
        let settings = configuration
        do {
            return try DatabaseQueue(path: path, configuration: settings).read(body)
        } catch let error as CorpusError {
            throw error
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            // No condition is at fault.
            return try Self.explained(path) { throw error }
        } catch let error as DatabaseError {
            let scorers = ((try? scorers()) ?? []).map { Annotations.needsQuotes($0) ? "\"\($0)\"" : $0 }
            throw CorpusError(
                .badQuery, query.condition ?? query.by ?? "query",
                "\(error.message ?? "cannot be run"); columns: "
                    + (CatalogueRow.columns + scorers).joined(separator: ", "))
        } catch {
            throw CorpusError(.io, path, "\(error)")
        }
    }
}
