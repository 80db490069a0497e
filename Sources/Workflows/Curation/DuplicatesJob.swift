package import CorpusStore

/// What `attune duplicates` does: groups near-duplicates of a corpus.
package struct DuplicatesJob: Sendable {
    package var condition: String?
    package var nearness = Nearness()
    /// The column by which the best of a group is told; nil for the order of ids.
    package var ranking: String? = "mi"

    package init() {}

    /// - Returns: nil if it was stopped. Prints that were made are kept.
    /// - Throws: ``Failure`` where no sample fits; ``CorpusError``; ``CurationError``; ``UsageError``.
    package func run<Monitor: WorkMonitor>(
        in corpus: Corpus, monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> DuplicateListing? {
        let rows = try corpus.query(CatalogueQuery(condition: condition, by: ranking))
        guard !rows.isEmpty else { throw Failure("no sample fits: see what there is with attune query") }
        guard let found = try nearness.groups(rows.map(\.id), in: corpus, monitor: monitor) else { return nil }
        return DuplicateListing(rows, found, nearness)
    }
}

/// Groups of near-duplicates, in each the best sample first.
package struct DuplicateListing: Encodable {
    package struct Member: Encodable {
        package let id: Digest
        package let prompt: String
        /// To the nearest other one of the group.
        package let distance: Double
    }

    package struct Group: Encodable {
        package let samples: [Member]
    }

    package let by: String
    package let threshold: Double
    /// How many were looked at.
    package let samples: Int
    /// How many could go: all of each group but its best.
    package let redundant: Int
    package let groups: [Group]

    init(_ rows: [CatalogueRow], _ found: (groups: [[Int]], nearest: [Int: Float]), _ nearness: Nearness) {
        switch nearness.method {
        case .images: by = "phash"
        case .vectors(let name): by = name ?? "vectors"
        }
        (threshold, samples) = (nearness.usedThreshold, rows.count)
        groups = found.groups.map { group in
            // In order of the ranking, so that the best comes first.
            Group(
                samples: group.map { place in
                    Member(
                        id: rows[place].id, prompt: rows[place].prompt, distance: Double(found.nearest[place] ?? 0))
                })
        }
        redundant = groups.reduce(0) { $0 + $1.samples.count - 1 }
    }

    package var text: String {
        let table = Table(
            columns: ["group", "distance", "id", "prompt"],
            rows: groups.enumerated().flatMap { number, group in
                group.samples.map { [String(number + 1), formatted($0.distance, digits: 3), $0.id.hex, $0.prompt] }
            })
        let summary =
            "\(groups.count) groups of near-duplicates among \(samples) samples; \(redundant) samples are not the best of theirs"
        return groups.isEmpty ? summary : table.text + "\n" + summary
    }
}
