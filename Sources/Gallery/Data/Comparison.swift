package import Corpus
import Foundation

/// One side of a comparison: samples of a selection, of an adapter, or that fit a condition.
package struct ComparisonSide: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable { case selection, adapter, condition = "where" }

    package let kind: Kind
    package let value: String

    /// - Parameter text: as in addresses: `selection:best`, `adapter:none`, `where:mi > 4`.
    package init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), !parts[1].isEmpty else {
            throw Refusal.unusable(
                "'\(text.prefix(80))' is not a side of a comparison; as in selection:best, adapter:none or where:mi > 4"
            )
        }
        (self.kind, value) = (kind, String(parts[1]))
    }

    package var text: String { "\(kind.rawValue):\(value)" }

    /// As pages call it.
    package var name: String {
        switch kind {
        case .selection: "selection \(value)"
        case .adapter where value == "none": "without an adapter"
        case .adapter: "adapter \(value.prefix(12))"
        case .condition: value
        }
    }

    fileprivate func rows(_ data: GalleryData) throws -> [CatalogueRow] {
        switch kind {
        case .selection: return try data.reader.rows(Array(data.members(of: value).ids.prefix(Comparison.most)))
        case .adapter:
            let condition =
                value == "none" ? "adapter IS NULL" : "adapter = '\(value.replacingOccurrences(of: "'", with: "''"))'"
            return try asked(condition, data)
        case .condition: return try asked(value, data)
        }
    }

    private func asked(_ condition: String, _ data: GalleryData) throws -> [CatalogueRow] {
        let keys = try data.browser.samples(CatalogueQuery(condition: condition, by: "mi")).samples
        return try data.browser.rows(keys.prefix(Comparison.most)).map(\.row)
    }
}

/// Two sides, paired by prompt and seed; where they have no seed in common, by prompt and rank.
package struct Comparison: Sendable {
    package struct Pair: Sendable {
        package let left, right: CatalogueRow
    }

    package let pairs: [Pair]
    package let sharesSeeds: Bool
    package let counts: (left: Int, right: Int)

    /// Samples of a side that are looked at.
    package static let most = 20_000

    package init(_ left: ComparisonSide, _ right: ComparisonSide, in data: GalleryData) throws {
        let (first, second) = (try left.rows(data), try right.rows(data))
        counts = (first.count, second.count)
        func bySeed(_ rows: [CatalogueRow]) -> [String: CatalogueRow] {
            Dictionary(rows.map { ("\($0.prompt)\u{0}\($0.seed)", $0) }) { first, _ in first }
        }
        let partners = bySeed(second)
        var used: Set<Digest> = []
        var pairs: [Pair] = []
        for row in first {
            guard let partner = partners["\(row.prompt)\u{0}\(row.seed)"], partner.id != row.id,
                used.insert(partner.id).inserted
            else { continue }
            pairs.append(Pair(left: row, right: partner))
        }
        sharesSeeds = !pairs.isEmpty
        if pairs.isEmpty {
            var waiting = Dictionary(grouping: second.reversed()) { $0.prompt }
            for row in first {
                guard let partner = waiting[row.prompt]?.popLast(), partner.id != row.id else { continue }
                pairs.append(Pair(left: row, right: partner))
            }
        }
        self.pairs = pairs.sorted { ($0.left.prompt, $0.left.seed) < ($1.left.prompt, $1.left.seed) }
    }

    /// How people have judged the pairs so far.
    package struct Tally: Sendable, Equatable {
        package var left = 0
        package var right = 0
        package var ties = 0

        package init(left: Int = 0, right: Int = 0, ties: Int = 0) {
            (self.left, self.right, self.ties) = (left, right, ties)
        }

        package var judged: Int { left + right + ties }

        /// The share of decided pairs that the left side won, with its 95 % interval (Wilson).
        package var share: (value: Double, low: Double, high: Double)? {
            let n = Double(left + right)
            guard n > 0 else { return nil }
            let (p, z) = (Double(left) / n, 1.959964)
            let center = (p + z * z / (2 * n)) / (1 + z * z / n)
            let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
            return (p, max(0, center - half), min(1, center + half))
        }
    }

    /// A pair counts as judged once both of its samples have votes; who has more is preferred.
    package func tally(_ data: GalleryData) throws -> Tally {
        let found = try data.corpus.annotations(of: pairs.flatMap { [$0.left.id, $0.right.id] })
        func votes(_ row: CatalogueRow) -> Double? { found[row.id]?[Mark.votes] }
        var tally = Tally()
        for pair in pairs {
            guard let left = votes(pair.left), let right = votes(pair.right) else { continue }
            if left > right { tally.left += 1 } else if right > left { tally.right += 1 } else { tally.ties += 1 }
        }
        return tally
    }

    /// Whether a blind page shows the right side first: decided by the pair alone, so that a page that is loaded again looks
    /// the same, and not to be guessed from the order.
    package static func isSwapped(_ pair: Pair) -> Bool {
        Digest(of: Array("\(pair.left.id.hex)|\(pair.right.id.hex)".utf8)).raw[0] & 1 == 1
    }
}
