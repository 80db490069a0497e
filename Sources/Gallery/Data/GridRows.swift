package import CorpusStore
import Foundation

/// A sample on a tile.
package struct Tile: Encodable, Sendable {
    package let id: Digest
    package let prompt, seed: String
    package let width, height: Int
    package let score: Double?
    package let stars: Int
    /// 1 picked, -1 rejected, 0 neither.
    package let pick: Int
    package let tags: [String]
    /// Whether it is in the selection that the page marks.
    package let isChosen: Bool

    package init(_ sample: BrowsedSample, marked: Set<Digest>) {
        let row = sample.row
        (id, prompt, seed) = (row.id, row.prompt, row.seed)
        (width, height, score) = (row.width, row.height, sample.score.flatMap { $0.isFinite ? $0 : nil })
        stars = Int(min(max(sample.annotations[Mark.stars] ?? 0, 0), 5))
        pick = (sample.annotations[Mark.pick] ?? 0) > 0 ? 1 : (sample.annotations[Mark.pick] ?? 0) < 0 ? -1 : 0
        tags = Mark.tags(sample.annotations)
        isChosen = marked.contains(row.id)
    }
}

/// A part of a grid: samples, or prompts with their samples.
package struct GridRows: Encodable, Sendable {
    package struct Group: Encodable, Sendable {
        package let prompt: String
        /// Of the prompt, in this listing.
        package let total: Int
        package let tiles: [Tile]
    }

    package let from: Int
    /// Of the listing: samples, or prompts.
    package let total: Int
    package let samples: Int
    /// One of the two.
    package var tiles: [Tile]?
    package var groups: [Group]?
    /// What marks that were not seen yet would change.
    package let version: Int64

    /// Candidates of a prompt that its row shows; the rest is a click away.
    package static let candidates = 60

    package init(_ listing: GridListing, _ range: Range<Int>, _ query: GridQuery, marked: String?, in data: GalleryData)
        throws
    {
        let chosen = try marked.map { name throws(CorpusError) in try data.members(of: name).set } ?? []
        let range = range.clamped(to: 0..<listing.count)
        (from, total, samples, version) = (range.lowerBound, listing.count, listing.samples.count, listing.version)
        func made(_ keys: ArraySlice<Int64>) throws -> [Int64: Tile] {
            let found = try data.browser.rows(keys, by: query.score)
            return Dictionary(found.map { ($0.key, Tile($0, marked: chosen)) }) { first, _ in first }
        }
        guard let starts = listing.starts else {
            let found = try made(listing.samples[range])
            tiles = listing.samples[range].compactMap { found[$0] }
            return
        }
        let texts = try data.browser.prompts(listing.prompts[range])
        groups = try range.map { place in
            let keys = listing.samples[starts[place]..<starts[place + 1]]
            let shown = keys.prefix(Self.candidates)
            let found = try made(shown)
            return Group(
                prompt: texts[listing.prompts[place]] ?? "", total: keys.count, tiles: shown.compactMap { found[$0] })
        }
    }
}
