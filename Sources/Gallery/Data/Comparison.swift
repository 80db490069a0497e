package import CorpusStore
import Foundation

/// An image that is compared: of a sample, or of a named folder.
package struct ComparedImage: Sendable {
    package enum Source: Sendable {
        case sample(CatalogueRow)
        case file(FolderImage)
    }

    package let source: Source
    /// What votes name: a sample's id, or the token of a folder's image.
    package let id: String
    package let prompt: String
    /// Nil where a folder does not tell it.
    package let seed: String?

    init(_ row: CatalogueRow) { (source, id, prompt, seed) = (.sample(row), row.id.hex, row.prompt, row.seed) }

    init(_ image: FolderImage) {
        (source, id, prompt, seed) = (.file(image), image.token, image.prompt, image.seed)
    }

    /// What images of two sides have in common that are a pair; nil where they have no seed.
    fileprivate var pairing: String? { seed.map { "\(prompt)\u{0}\($0)" } }
}

/// One side of a comparison: samples of a selection, of an adapter, or that fit a condition; or the images of a named folder.
package struct ComparisonSide: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable { case selection, adapter, condition = "where", folder }

    package let kind: Kind
    package let value: String

    /// - Parameter text: as in addresses: `selection:best`, `adapter:none`, `where:mi > 4`.
    package init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), !parts[1].isEmpty else {
            throw Refusal.unusable(
                "'\(text.prefix(80))' is not a side of a comparison; as in selection:best, adapter:none, where:mi > 4 or folder:base"
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
        case .folder: "folder \(value)"
        }
    }

    fileprivate func images(_ data: GalleryData) throws -> [ComparedImage] {
        if kind == .folder { return try data.folders.images(value).prefix(Comparison.most).map { ComparedImage($0) } }
        return try rows(data).map { ComparedImage($0) }
    }

    private func rows(_ data: GalleryData) throws -> [CatalogueRow] {
        switch kind {
        case .selection: return try data.reader.rows(Array(data.members(of: value).ids.prefix(Comparison.most)))
        case .adapter:
            let condition =
                value == "none" ? "adapter IS NULL" : "adapter = '\(value.replacingOccurrences(of: "'", with: "''"))'"
            return try asked(condition, data)
        case .condition: return try asked(value, data)
        case .folder: return []
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
        package let left, right: ComparedImage

        /// Whether votes become annotations of the corpus's samples.
        package var isOfSamples: Bool {
            if case .sample = left.source, case .sample = right.source { return true }
            return false
        }
    }

    package let pairs: [Pair]
    package let sharesSeeds: Bool
    package let counts: (left: Int, right: Int)

    /// Samples of a side that are looked at.
    package static let most = 20_000

    package init(_ left: ComparisonSide, _ right: ComparisonSide, in data: GalleryData) throws {
        let (first, second) = (try left.images(data), try right.images(data))
        counts = (first.count, second.count)
        let seeded = second.compactMap { image in image.pairing.map { ($0, image) } }
        let partners = Dictionary(seeded) { first, _ in first }
        var used: Set<String> = []
        var pairs: [Pair] = []
        for image in first {
            guard let partner = image.pairing.flatMap({ partners[$0] }), partner.id != image.id,
                used.insert(partner.id).inserted
            else { continue }
            pairs.append(Pair(left: image, right: partner))
        }
        sharesSeeds = !pairs.isEmpty
        if pairs.isEmpty {
            var waiting = Dictionary(grouping: second.reversed()) { $0.prompt }
            for image in first {
                guard let partner = waiting[image.prompt]?.popLast(), partner.id != image.id else { continue }
                pairs.append(Pair(left: image, right: partner))
            }
        }
        self.pairs = pairs.sorted { ($0.left.prompt, $0.left.seed ?? "") < ($1.left.prompt, $1.left.seed ?? "") }
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

    /// A pair of samples counts as judged once both have votes; who has more is preferred. Of other pairs the last vote
    /// counts.
    package func tally(_ data: GalleryData) throws -> Tally {
        let ids = pairs.flatMap { [$0.left.id, $0.right.id] }.compactMap { Digest(hex: $0) }
        let found = try data.corpus.annotations(of: ids)
        func votes(_ image: ComparedImage) -> Double? { Digest(hex: image.id).flatMap { found[$0]?[Mark.votes] } }
        var tally = Tally()
        let others = pairs.filter { !$0.isOfSamples }
        for outcome in try data.folderVotes.outcomes(others.map { ($0.left.id, $0.right.id) }) {
            guard let outcome else { continue }
            if outcome == 0 { tally.left += 1 } else if outcome == 1 { tally.right += 1 } else { tally.ties += 1 }
        }
        for pair in pairs where pair.isOfSamples {
            guard let left = votes(pair.left), let right = votes(pair.right) else { continue }
            if left > right { tally.left += 1 } else if right > left { tally.right += 1 } else { tally.ties += 1 }
        }
        return tally
    }

    /// Whether a blind page shows the right side first: decided by the pair alone, so that a page that is loaded again looks
    /// the same, and not to be guessed from the order.
    package static func isSwapped(_ pair: Pair) -> Bool {
        Digest(of: Array("\(pair.left.id)|\(pair.right.id)".utf8)).raw[0] & 1 == 1
    }
}
