package import CorpusStore
package import Curation

/// What `attune select` does when it curates: filters and chooses by more than a query can say.
///
/// In this order: condition and ranking, scores, near-duplicates, the best of each prompt, quotas, clusters, diversity,
/// split. Each takes what the one before has left, best first.
package struct CurationJob: Sendable {
    package var condition: String?
    /// The column to rank by, largest first; nil for the order of ids.
    package var by: String?
    /// Keep scores of at least this.
    package var minimumScore: Double?
    /// Keep scores at or above this percentile, 0 to 100, of all that fit.
    package var percentile: Double?
    /// Keep the best of each group of near-duplicates; nil to keep them all.
    package var withoutDuplicates: Nearness?
    package var top: Int?
    package var perPrompt = false
    package var quotas: [Quota] = []
    /// Keep so many of each of so many clusters.
    package var clusters: (count: Int, top: Int)?
    /// Keep so many that differ.
    package var diverse: Int?
    /// Of score against diversity, 0…1; nil for diversity alone.
    package var trade: Double?
    /// The vectors of clusters and diversity; nil for the only ones, or those of the latents.
    package var vectors: String?
    package var split: Split?
    /// Whether a split keeps a prompt's samples together.
    package var splitsByPrompt = false
    /// What a split's near-duplicates, which stay together, are.
    package var splitNearness = Nearness()

    package init() {}

    /// Chooses and stores: one selection under the name, or `name-train` and the like for the parts of a split.
    ///
    /// - Returns: the names with their selections; nil if it was stopped, and nothing was stored.
    /// - Throws: ``Failure`` where nothing is left; ``CurationError`` for quotas, splits and thresholds that cannot be met.
    package func select<Monitor: WorkMonitor>(
        as name: String, in corpus: Corpus, monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> [(name: String, selection: Selection)]? {
        do {
            guard let rows = try choose(corpus, monitor) else { return nil }
            guard !rows.isEmpty else {
                throw Failure("no sample is left; nothing was selected: see what there is with attune query")
            }
            guard let parts = try parts(rows, corpus, monitor) else { return nil }
            let selections = parts.map { part in
                (
                    name: part.suffix.map { "\(name)-\($0)" } ?? name,
                    selection: Selection(ids: part.rows.map(\.id), policy: .list)
                )
            }
            for (name, selection) in selections { try corpus.store(selection, as: name) }
            return selections
        } catch is CancellationError {
            return nil
        }
    }

    private func choose<Monitor: WorkMonitor>(
        _ corpus: Corpus, _ monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> [CatalogueRow]? {
        var rows = try ranked(corpus)
        if let withoutDuplicates, !rows.isEmpty {
            guard let found = try withoutDuplicates.groups(rows.map(\.id), in: corpus, monitor: monitor) else {
                return nil
            }
            let redundant = Set(found.groups.flatMap { $0.dropFirst() })
            rows = rows.indices.filter { !redundant.contains($0) }.map { rows[$0] }
        }
        if let top { rows = best(top, rows) }
        if !quotas.isEmpty {
            for quota in quotas where Self.kind(quota.column, rows.first) == nil {
                throw UsageError(
                    "--quota \(quota.column)=\(quota.value): there is no such column of texts; there are "
                        + Self.kinds.map(\.name).joined(separator: ", "))
            }
            let places = try Quota.fill(quotas, count: rows.count) { Self.kind($0, rows[$1]) ?? nil }
            rows = places.map { rows[$0] }
        }
        guard clusters != nil || diverse != nil, !rows.isEmpty else { return rows }
        guard var placed = try VectorStore(corpus).vectors(of: rows, named: vectors, monitor: monitor) else {
            return nil
        }
        if let clusters {
            let assigned = try Clusters.assign(placed, count: clusters.count)
            var taken = [Int](repeating: 0, count: clusters.count)
            let places = rows.indices.filter { place in
                taken[assigned[place]] += 1
                return taken[assigned[place]] <= clusters.top
            }
            rows = places.map { rows[$0] }
            if diverse != nil {
                placed = try UnitVectors(
                    places.flatMap { placed.values[$0 * placed.width..<($0 + 1) * placed.width] }, width: placed.width,
                    source: "vectors")
            }
        }
        guard let diverse else { return rows }
        let watch = monitor("diverse", "samples")
        watch.begin(total: diverse)
        // The rows are in order of the score: their places say all that counts of it.
        let scores = trade.map { _ in rows.indices.map { -Double($0) } }
        return try DiverseChoice.choose(
            placed, count: diverse, scores: scores, trade: trade ?? 0, isCancelled: { watch.isCancelled },
            progress: watch.update
        ).map { rows[$0] }
    }

    /// What fits, best first.
    private func ranked(_ corpus: Corpus) throws -> [CatalogueRow] {
        var conditions = condition.map { ["(\($0)\n)"] } ?? []
        if minimumScore != nil || percentile != nil || trade != nil {
            guard let by else { throw UsageError("a score is needed for this: give --by") }
            let column = "\"\(by)\""
            conditions.append("\(column) IS NOT NULL")
            if let minimumScore { conditions.append("\(column) >= \(minimumScore)") }
        }
        let query = CatalogueQuery(condition: conditions.isEmpty ? nil : conditions.joined(separator: " AND "), by: by)
        var rows = try corpus.query(query)
        if let percentile {
            let kept = Int((Double(rows.count) * (1 - percentile / 100)).rounded(.up))
            rows = Array(rows.prefix(max(kept, rows.isEmpty ? 0 : 1)))
        }
        return rows
    }

    private func best(_ top: Int, _ rows: [CatalogueRow]) -> [CatalogueRow] {
        guard perPrompt else { return Array(rows.prefix(top)) }
        var taken: [String: Int] = [:]
        return rows.filter { row in
            taken[row.prompt, default: 0] += 1
            return taken[row.prompt, default: 0] <= top
        }
    }

    /// Columns that quotas may name.
    private static let kinds: [(name: String, value: @Sendable (CatalogueRow) -> String?)] = [
        ("tag", { $0.tag }), ("prompt", { $0.prompt }), ("model", { $0.model }), ("adapter", { $0.adapter }),
        ("sampler", { $0.sampler }), ("seed", { $0.seed }), ("steps", { String($0.steps) }),
        ("guidance", { String($0.guidance) }), ("width", { String($0.width) }), ("height", { String($0.height) }),
    ]

    /// A row's value in a column, nil within where it has none; nil for no such column.
    private static func kind(_ column: String, _ row: CatalogueRow?) -> String?? {
        guard let row, let kind = kinds.first(where: { $0.name == column }) else { return .none }
        return .some(kind.value(row))
    }

    private func parts<Monitor: WorkMonitor>(
        _ rows: [CatalogueRow], _ corpus: Corpus, _ monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> [(suffix: String?, rows: [CatalogueRow])]? {
        guard let split else { return [(nil, rows)] }
        var sets = DisjointSets(rows.count)
        if splitsByPrompt {
            var firsts: [String: Int] = [:]
            for (place, row) in rows.enumerated() {
                if let first = firsts[row.prompt] { sets.join(first, place) } else { firsts[row.prompt] = place }
            }
        }
        guard let near = try splitNearness.groups(rows.map(\.id), in: corpus, monitor: monitor) else { return nil }
        for group in near.groups { for member in group.dropFirst() { sets.join(group[0], member) } }
        return zip(split.parts, try split.deal(sets)).map { part, places in (part.name, places.map { rows[$0] }) }
    }
}
