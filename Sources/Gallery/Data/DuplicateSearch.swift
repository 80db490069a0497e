package import CorpusStore
import Curation
import Foundation
package import Workflows

/// Which near-duplicates a page shows: its state, all of which is in the address.
package struct DuplicateQuery: Sendable, Hashable {
    package var condition: String?
    /// `phash`, `vectors`, or the name of vectors.
    package var near: String
    package var threshold: Double?
    /// The score that tells the best of a group.
    package var by: String
    /// The number of the first group, from 0.
    package var from: Int

    package init(_ query: Query) throws {
        (condition, near, by) = (query["where"], query["near"] ?? "phash", query["by"] ?? "mi")
        if let text = query["threshold"] {
            guard let number = Double(text), DuplicateFinder.thresholds.contains(Float(number)) else {
                throw Refusal.unusable("threshold is '\(text.prefix(40))'; it must be a number from 0 to 1.4")
            }
            threshold = number
        }
        guard let from = Int(query["from"] ?? "0"), (0...10_000_000).contains(from) else {
            throw Refusal.unusable("from is the number of a group")
        }
        self.from = from
    }

    package var nearness: Nearness { Nearness(Nearness.Method(near), threshold: threshold) }
}

/// Groups of near-duplicates, the largest first.
package struct DuplicateGroups: Sendable {
    package struct Group: Sendable {
        package let samples: [Digest]
        /// The largest distance of one of them to its nearest other.
        package let distance: Double
    }

    package let groups: [Group]
    /// How many samples were looked at.
    package let looked: Int
    /// Whether more fit than are looked at.
    package let isCut: Bool

    package var redundant: Int { groups.reduce(0) { $0 + $1.samples.count - 1 } }
}

/// Finds near-duplicates for pages.
package final class DuplicateSearch: Sendable {
    package struct Key: Hashable, Sendable {
        let condition: String?
        let method: Nearness.Method
        let threshold: Double
        /// Of the samples and vectors.
        let source: Digest
    }

    private let corpus: Corpus
    private let browser: CatalogueBrowser
    private let mayStore: Bool
    private let work = BackgroundWork<Key, DuplicateGroups>(most: 4)

    /// - Parameters:
    ///   - browser: asks the catalogue, in bounded time.
    ///   - mayStore: whether what samples are compared by is stored in the corpus where it had to be made.
    package init(_ corpus: Corpus, _ browser: CatalogueBrowser, mayStore: Bool) {
        (self.corpus, self.browser, self.mayStore) = (corpus, browser, mayStore)
    }

    /// Groups, or how far the search is.
    package func groups(
        _ query: DuplicateQuery, patience: Double = 1.5
    ) throws -> BackgroundWork<Key, DuplicateGroups>.State {
        var nearness = query.nearness
        nearness.keepsPrints = mayStore
        let key = Key(
            condition: query.condition, method: nearness.method, threshold: nearness.usedThreshold,
            source: try source(nearness.method))
        let chosen = nearness
        return work.state(key, patience: patience) { [self] progress in
            try find(query.condition, chosen, progress)
        }
    }

    private func source(_ method: Nearness.Method) throws -> Digest {
        var digests = try corpus.sampleShards()
        if case .vectors(let given) = method {
            let name = try given ?? VectorStore(corpus).defaultName()
            let isStored = try corpus.vectorSummaries().contains { $0.name == name }
            guard isStored || mayStore else {
                throw Refusal.unusable(
                    name == VectorStore.latents
                        ? "the vectors of the latents are not stored yet: run attune duplicates --by vectors, or start the gallery with --allow-edits"
                        : "there are no vectors '\(name.prefix(80))': import them with attune annotate --vectors")
            }
            digests += isStored ? try corpus.vectorDigests(named: name) : []
        }
        return Digest(of: digests.flatMap(\.raw))
    }

    private func find(
        _ condition: String?, _ nearness: Nearness, _ progress: WorkProgress
    ) throws -> DuplicateGroups? {
        let fitting = try browser.column(nil, where: condition)
        let samples = fitting.samples.sorted()
        guard !samples.isEmpty else { return DuplicateGroups(groups: [], looked: 0, isCut: false) }
        guard let found = try nearness.groups(samples, in: corpus, monitor: { _, _ in progress }) else { return nil }
        let groups = found.groups.map { group in
            DuplicateGroups.Group(
                samples: group.map { samples[$0] },
                distance: Double(group.compactMap { found.nearest[$0] }.max() ?? 0))
        }
        // A stable order: of two that are as large, that of the smaller id.
        return DuplicateGroups(
            groups: groups.sorted { ($1.samples.count, $0.samples[0]) < ($0.samples.count, $1.samples[0]) },
            looked: samples.count, isCut: fitting.isCut)
    }
}

extension GalleryData {
    /// The samples of a group as pages show them, the best by a score first; what has gone meanwhile is left out.
    package func members(of group: DuplicateGroups.Group, by score: String) throws -> [BrowsedSample] {
        let keys = try browser.keys(of: group.samples)
        let rows = try browser.rows(group.samples.compactMap { keys[$0] }, by: score)
        return rows.sorted { first, second in
            let (a, b) = (first.score ?? -.infinity, second.score ?? -.infinity)
            return a != b ? a > b : first.row.id < second.row.id
        }
    }
}
