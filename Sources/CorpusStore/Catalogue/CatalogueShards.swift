import Foundation
import GRDB
import HDF5

/// What a catalogue knows of the files behind it.
extension Catalogue {
    /// Shards that have been indexed.
    func shards() throws(CorpusError) -> Set<Digest> {
        try Self.explained(path) {
            try writer.read {
                Set(try Data.fetchAll($0, sql: "SELECT digest FROM shard").compactMap { Digest(data: $0) })
            }
        }
    }

    /// Indexed shards that hold samples, sorted: what is derived from the samples follows from them.
    func sampleShards() throws(CorpusError) -> [Digest] {
        try Self.explained(path) {
            try writer.read {
                try Data.fetchAll($0, sql: "SELECT digest FROM shard WHERE samples > 0 ORDER BY digest")
                    .compactMap { Digest(data: $0) }
            }
        }
    }

    /// The shards that some samples are in.
    func shards(of samples: [Digest]) throws(CorpusError) -> [Digest] {
        try Self.explained(path) {
            try writer.read { database in
                let find = try database.makeStatement(sql: "SELECT shard FROM sample WHERE id = ?")
                let digest = try database.makeStatement(sql: "SELECT digest FROM shard WHERE key = ?")
                let keys = Set(try samples.compactMap { try Int64.fetchOne(find, arguments: [Data($0.raw)]) })
                return try keys.compactMap { try Data.fetchOne(digest, arguments: [$0]).flatMap { Digest(data: $0) } }
                    .sorted()
            }
        }
    }

    /// The stamps that files had when their bytes were last hashed.
    func stamps() throws(CorpusError) -> [Digest: FileStamp] {
        try Self.explained(path) {
            try writer.read { database in
                let rows = try Row.fetchAll(database, sql: "SELECT digest, size, inode, changed FROM shard")
                let stamps = rows.compactMap { row in Digest(data: row[0]).map { ($0, Self.stamp(row)) } }
                return Dictionary(stamps) { first, _ in first }
            }
        }
    }

    /// The stamp that a file had when its bytes were last hashed; nil for one that has not been indexed.
    func stamp(of shard: Digest) throws(CorpusError) -> FileStamp? {
        try Self.explained(path) {
            try writer.read { database in
                let find = try database.cachedStatement(
                    sql: "SELECT digest, size, inode, changed FROM shard WHERE digest = ?")
                return try Row.fetchOne(find, arguments: [Data(shard.raw)]).map(Self.stamp)
            }
        }
    }

    /// Notes that a file with this stamp has been hashed.
    func note(_ stamp: FileStamp, of shard: Digest) throws(CorpusError) {
        guard !isReadOnly else { return }
        try Self.explained(path) {
            try writer.write {
                try $0.execute(
                    sql: "UPDATE shard SET size = ?, inode = ?, changed = ? WHERE digest = ?",
                    arguments: [stamp.size, stamp.inode, stamp.changed, Data(shard.raw)])
            }
        }
    }

    private static func stamp(_ row: Row) -> FileStamp { FileStamp(size: row[1], inode: row[2], changed: row[3]) }

    /// When the folders of shards were last changed before they were looked through, in nanoseconds since 1970.
    func folders() throws(CorpusError) -> [String: Int64] {
        try Self.explained(path) {
            try writer.read { database in
                let rows = try Row.fetchAll(database, sql: "SELECT prefix, changed FROM folder")
                return Dictionary(rows.map { ($0[0] as String, $0[1] as Int64) }) { first, _ in first }
            }
        }
    }

    func remember(folders: [String: Int64]) throws(CorpusError) {
        guard !folders.isEmpty, !isReadOnly else { return }
        try Self.explained(path) {
            try writer.write { database in
                for (prefix, changed) in folders {
                    try database.execute(
                        sql: "INSERT OR REPLACE INTO folder VALUES (?, ?)", arguments: [prefix, changed])
                }
            }
        }
    }
}

extension Digest {
    /// Nil for anything but 32 bytes: a catalogue may be damaged.
    init?(data: Data) {
        guard data.count == 32 else { return nil }
        self.init(raw: data)
    }
}
