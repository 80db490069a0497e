import DiskAccess
package import Foundation
import GRDB
import Synchronization

/// Finds prompts by their words, in an index of its own beside the catalogue: derived from it, deletable at any time, and
/// filled in the background when it is behind.
package final class PromptSearch: Sendable {
    /// How far the index is.
    package enum State: Sendable, Equatable {
        case building(done: Int, of: Int)
        case ready
        case failed(String)
    }

    /// Prompts that one search gives at most.
    package static let most = 20_000

    private let queue: DatabaseQueue
    private let file: URL
    private let state = Mutex(State.building(done: 0, of: 0))

    /// - Parameters:
    ///   - corpus: whose prompts are searched.
    ///   - folder: where the index's file goes.
    package init(_ corpus: Corpus, in folder: URL) throws(CorpusError) {
        file = folder.appending(path: "prompts.sqlite")
        try reported { () throws(DiskError) in try Disk.makeFolder(folder.path) }
        let (path, catalogue) = (file.path, corpus.catalogue.path)
        queue = try Catalogue.explained(path) {
            do { return try Self.open(path, catalogue) } catch let error as DatabaseError
                where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB
            {
                Catalogue.discard(at: path)
                return try Self.open(path, catalogue)
            }
        }
    }

    private static func open(_ path: String, _ catalogue: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(60)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768")
            try database.execute(sql: "ATTACH ? AS catalogue", arguments: [catalogue])
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.write { database in
            // Words alone, without their places: a third of the size, and AND is what people mean.
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
                    CREATE VIRTUAL TABLE IF NOT EXISTS word USING fts5(text, content='', columnsize=0, detail=none,
                      tokenize='unicode61 remove_diacritics 2');
                    """)
        }
        return queue
    }

    package var progress: State { state.withLock { $0 } }

    /// Prompts of one transaction.
    private static let batch = 20_000

    /// Adds the prompts that the index lacks; rebuilds it where the catalogue was rebuilt.
    package func refresh(isCancelled: () -> Bool = { false }) {
        do {
            try begin()
            while try addBatch() { if isCancelled() { return } }
            state.withLock { $0 = .ready }
        } catch {
            state.withLock { $0 = .failed("\(error)") }
        }
    }

    private struct Place {
        var last: Int64
        var highest: Int64
    }

    private func place(_ database: Database) throws -> Place {
        func value(_ name: String) throws -> Int64? {
            try Int64.fetchOne(database, sql: "SELECT value FROM state WHERE name = ?", arguments: [name])
        }
        return Place(
            last: try value("last") ?? 0,
            highest: try Int64.fetchOne(database, sql: "SELECT max(key) FROM catalogue.prompt") ?? 0)
    }

    private func begin() throws {
        try queue.write { database in
            // Of the catalogue: it changes when the tables are rebuilt, and the keys with them.
            let schema = try Int64.fetchOne(database, sql: "PRAGMA catalogue.schema_version") ?? 0
            let known = try Int64.fetchOne(database, sql: "SELECT value FROM state WHERE name = 'schema'")
            let last = try place(database).last
            let text = try String.fetchOne(
                database, sql: "SELECT text FROM catalogue.prompt WHERE key = ?", arguments: [last])
            let noted = try String.fetchOne(database, sql: "SELECT value FROM state WHERE name = 'text'")
            // A key that went may come again with another text.
            guard known != schema || (last > 0 && text != noted) else { return }
            try database.execute(
                sql: """
                    INSERT INTO word(word) VALUES ('delete-all');
                    DELETE FROM state;
                    """)
            try database.execute(sql: "INSERT INTO state VALUES ('schema', ?)", arguments: [schema])
        }
    }

    /// - Returns: whether there may be more.
    private func addBatch() throws -> Bool {
        try queue.write { database in
            let place = try place(database)
            guard place.last < place.highest else { return false }
            let keys = "SELECT key, text FROM catalogue.prompt WHERE key > ? ORDER BY key LIMIT \(Self.batch)"
            try database.execute(
                sql: "INSERT INTO word(rowid, text) \(keys)", arguments: [place.last])
            let last =
                try Int64.fetchOne(database, sql: "SELECT max(key) FROM (\(keys))", arguments: [place.last])
                ?? place.highest
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO state VALUES ('last', ?);
                    INSERT OR REPLACE INTO state SELECT 'text', text FROM catalogue.prompt WHERE key = ?
                    """, arguments: [last, last])
            state.withLock { $0 = .building(done: Int(last), of: Int(place.highest)) }
            return true
        }
    }

    /// The keys of prompts that have all of some words; a last word of three letters or more may be the beginning of one.
    ///
    /// - Parameter text: words as somebody types them.
    /// - Returns: ``most`` keys at most, in the order of the catalogue; nil for a text without words.
    package func prompts(_ text: String) throws(CorpusError) -> (keys: [Int64], isCut: Bool)? {
        let words = text.split { !($0.isLetter || $0.isNumber) }.map(String.init)
        guard let last = words.last else { return nil }
        var terms = words.map { "\"\($0)\"" }
        if last.count >= 3, text.last?.isWhitespace == false { terms[terms.count - 1] += "*" }
        let question = terms.joined(separator: " AND ")
        let keys = try Catalogue.explained(file.path) {
            try queue.read {
                try Int64.fetchAll(
                    $0, sql: "SELECT rowid FROM word WHERE word MATCH ? LIMIT ?",
                    arguments: [question, Self.most + 1])
            }
        }
        return (Array(keys.prefix(Self.most)), keys.count > Self.most)
    }
}
