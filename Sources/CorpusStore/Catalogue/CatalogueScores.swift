import Foundation
import GRDB

/// Where Monte-Carlo traces lie.
extension Catalogue {
    /// The files that hold scores of some of these samples, sorted.
    func scoreShards(of samples: [Digest]) throws(CorpusError) -> [Digest] {
        try Self.explained(path) {
            try writer.read { database in
                let statement = try database.makeStatement(sql: "SELECT shard FROM score WHERE sample = ?")
                var shards: Set<Digest> = []
                for sample in samples {
                    for raw in try Data.fetchAll(statement, arguments: [Data(sample.raw)]) where raw.count == 32 {
                        shards.insert(Digest(raw: raw))
                    }
                }
                return shards.sorted()
            }
        }
    }
}
