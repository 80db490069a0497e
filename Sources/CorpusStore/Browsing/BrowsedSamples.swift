import Foundation
import GRDB

/// The samples that a question chooses, in its order, by their keys in the catalogue: eight megabytes hold half a million.
package struct BrowsedSamples: Sendable {
    /// Keys of samples, which hold until the catalogue is rebuilt.
    package let samples: [Int64]
    /// The key of each sample's prompt.
    package let prompts: [Int64]
    /// Whether there are more than a listing may have.
    package let isCut: Bool

    package init(samples: [Int64], prompts: [Int64], isCut: Bool) {
        (self.samples, self.prompts, self.isCut) = (samples, prompts, isCut)
    }

    /// Where each prompt's samples begin, and where the last one's end, with the prompts: of samples that come one prompt
    /// after the other.
    package func runs() -> (starts: [Int], prompts: [Int64]) {
        var (starts, owners): ([Int], [Int64]) = ([], [])
        for (place, prompt) in prompts.enumerated() where owners.last != prompt {
            starts.append(place)
            owners.append(prompt)
        }
        return (starts + [samples.count], owners)
    }

    /// Samples of one prompt after the other: prompts in the order of their first sample, samples in theirs.
    package func byPrompt() -> [(prompt: Int64, samples: [Int64])] {
        var places: [Int64: Int] = [:]
        var groups: [(prompt: Int64, samples: [Int64])] = []
        for (sample, prompt) in zip(samples, prompts) {
            if let place = places[prompt] {
                groups[place].samples.append(sample)
            } else {
                places[prompt] = groups.count
                groups.append((prompt, [sample]))
            }
        }
        return groups
    }
}

/// A sample as a listing shows it.
package struct BrowsedSample: Sendable {
    package let key: Int64
    package let row: CatalogueRow
    /// By the names of their scorers.
    package let annotations: [String: Double]
    /// What the listing ranks by; nil for none.
    package let score: Double?
}

extension CatalogueBrowser {
    /// What a question chooses.
    ///
    /// - Parameters:
    ///   - query: the question.
    ///   - prompts: keys of the prompts to which it is confined; nil for all.
    /// - Throws: ``CorpusError`` with the words of `attune query` where it cannot be understood.
    package func samples(_ query: CatalogueQuery, prompts: [Int64]? = nil) throws(CorpusError) -> BrowsedSamples {
        var confined = query
        if let prompts {
            let keys = prompts.map(String.init).joined(separator: ",")
            let given = query.condition.map { "(\($0)\n) AND " } ?? ""
            confined.condition = "\(given)_prompt IN (SELECT value FROM json_each('[\(keys)]'))"
        }
        if !query.perPrompt { confined.top = min(query.top ?? Int.max, limits.samples + 1) }
        let question = confined
        return try read(query.subject) { database in
            var (samples, owners): ([Int64], [Int64]) = ([], [])
            let scorers = try Catalogue.scorers(database)
            if question.perPrompt {
                let owner = try database.makeStatement(sql: "SELECT prompt FROM sample WHERE key = ?")
                let keys = try Int64?.fetchCursor(database, sql: question.sql("_sample", scorers))
                while samples.count <= limits.samples, let key = try keys.next() {
                    guard let key else { continue }
                    samples.append(key)
                    owners.append(try Int64.fetchOne(owner, arguments: [key]) ?? -1)
                }
            } else {
                try RawRows.forEach(database, question.sql("_sample, _prompt", scorers)) { row in
                    samples.append(row.integer(0))
                    owners.append(row.integer(1))
                }
            }
            let isCut = samples.count > limits.samples
            return BrowsedSamples(
                samples: isCut ? Array(samples.prefix(limits.samples)) : samples,
                prompts: isCut ? Array(owners.prefix(limits.samples)) : owners, isCut: isCut)
        }
    }

    /// All samples by MI, one prompt's after the other: prompts in the order of their best sample. Read off the index that has
    /// them so, which takes a third of the time of sorting them.
    package func allByPrompt() throws(CorpusError) -> BrowsedSamples {
        try read("samples") { database in
            struct Group {
                var best: Double
                var id: Data
                var prompt: Int64
                /// Where its samples begin and end.
                var start: Int
                var end = 0
            }
            var groups: [Group] = []
            var keys: [Int64] = []
            let sql = "SELECT key, prompt, mi, id FROM sample INDEXED BY sample_best ORDER BY prompt, mi DESC, id"
            try RawRows.forEach(database, sql) { row in
                let prompt = row.integer(1)
                if groups.last?.prompt != prompt {
                    groups.append(
                        Group(best: row.double(2) ?? -.infinity, id: row.data(3), prompt: prompt, start: keys.count))
                }
                keys.append(row.integer(0))
            }
            let ends = groups.dropFirst().map(\.start) + [keys.count]
            for (place, end) in ends.enumerated() where place < groups.count { groups[place].end = end }
            groups.sort { $0.best != $1.best ? $0.best > $1.best : $0.id.lexicographicallyPrecedes($1.id) }
            var (samples, prompts): ([Int64], [Int64]) = ([], [])
            samples.reserveCapacity(min(keys.count, limits.samples))
            prompts.reserveCapacity(samples.capacity)
            for group in groups where samples.count < limits.samples {
                samples += keys[group.start..<group.end].prefix(limits.samples - samples.count)
                prompts += repeatElement(group.prompt, count: samples.count - prompts.count)
            }
            return BrowsedSamples(samples: samples, prompts: prompts, isCut: keys.count > limits.samples)
        }
    }

    /// The rows of some samples by their keys, with their annotations and their score; one that has gone is left out.
    ///
    /// - Parameters:
    ///   - keys: of the samples, in the order wanted.
    ///   - by: the column or expression that scores them.
    package func rows(
        _ keys: some Sequence<Int64>, by: String? = nil
    ) throws(CorpusError) -> [BrowsedSample] {
        try read(by ?? "samples") { database in
            let reader = try RowReader(database, by: "key")
            let names = try Catalogue.scorers(database)
            let score = try by.map { by in
                let source = CatalogueSource(mentionedIn: [by], scorers: names).sql
                let expression = names.contains(by) ? "\"\(by)\"" : "(\(by)\n)"
                return try database.makeStatement(sql: "SELECT \(expression) FROM \(source) WHERE _sample = ?")
            }
            let scorers = try Row.fetchAll(database, sql: "SELECT key, name FROM scorer ORDER BY name")
                .map { (key: $0[0] as Int64, name: $0[1] as String) }
            let value = try database.makeStatement(
                sql: """
                    SELECT value FROM annotation WHERE scorer = ? AND sample = (SELECT id FROM sample WHERE key = ?)
                    """)
            return try keys.compactMap { key in
                guard let row = try reader.row(key) else { return nil }
                var annotations: [String: Double] = [:]
                for scorer in scorers {
                    annotations[scorer.name] = try Double.fetchOne(value, arguments: [scorer.key, key])
                }
                let value = try score.flatMap { try DatabaseValue.fetchOne($0, arguments: [key]) }
                return BrowsedSample(
                    key: key, row: row, annotations: annotations, score: value.flatMap { Double.fromDatabaseValue($0) })
            }
        }
    }

    /// The values that a sample has in some columns.
    package func values(of columns: [String], sample key: Int64) throws(CorpusError) -> [String: Double] {
        try read("samples") { database in
            let scorers = try Catalogue.scorers(database)
            var values: [String: Double] = [:]
            for column in columns {
                let source = CatalogueSource(mentionedIn: [column], scorers: scorers).sql
                let value = try DatabaseValue.fetchOne(
                    database, sql: "SELECT \"\(column)\" FROM \(source) WHERE _sample = ?", arguments: [key])
                values[column] = value.flatMap { Double.fromDatabaseValue($0) }
            }
            return values
        }
    }

    /// The keys of some samples; one that is not there is left out.
    package func keys(of ids: [Digest]) throws(CorpusError) -> [Digest: Int64] {
        try read("samples") { database in
            let find = try database.makeStatement(sql: "SELECT key FROM sample WHERE id = ?")
            var keys: [Digest: Int64] = [:]
            for id in ids {
                keys[id] = try id.withBytes { bytes in
                    try Int64.fetchOne(find, arguments: [Data(bytes)])
                }
            }
            return keys
        }
    }

    /// The keys of a prompt's samples, those with the highest score first.
    ///
    /// - Parameters:
    ///   - sample: the key of a sample that has the prompt.
    ///   - by: what ranks; nil for the order of ids.
    package func candidates(like sample: Int64, by: String?) throws(CorpusError) -> BrowsedSamples {
        let prompt = try read("samples") {
            try Int64.fetchOne($0, sql: "SELECT prompt FROM sample WHERE key = ?", arguments: [sample])
        }
        return try samples(CatalogueQuery(by: by), prompts: prompt.map { [$0] } ?? [])
    }

    /// The texts of some prompts.
    package func prompts(_ keys: some Sequence<Int64>) throws(CorpusError) -> [Int64: String] {
        try read("prompts") { database in
            // As bytes: a text of SQL ends at U+0000.
            let find = try database.makeStatement(sql: "SELECT CAST(text AS BLOB) FROM prompt WHERE key = ?")
            var texts: [Int64: String] = [:]
            for key in keys where texts[key] == nil {
                texts[key] = try Data.fetchOne(find, arguments: [key]).map { String(decoding: $0, as: UTF8.self) }
            }
            return texts
        }
    }
}
