import CorpusStore
import DiskAccess
import Foundation

/// A corpus at a glance.
struct Overview: Sendable {
    struct NamedSelection: Sendable {
        let name: String
        /// Nil with what is wrong with it.
        let samples: Int?
        let problem: String?
        /// When it was made, in seconds since 1970.
        let time: Int
        let versions: Int
    }

    struct Space: Sendable {
        let sealed: Int
        let thumbnails: Int
        let free: Int?
    }

    let samples, prompts, shards, scored: Int
    let origins: [OriginCount]
    let score: String
    let scores: [String]
    /// Nil where no sample has the score, or where counting took too long.
    let distribution: ColumnDistribution?
    let distributionProblem: String?
    let selections: [NamedSelection]
    let marks: [ScorerSummary]
    let space: Space

    /// Ranges of the histogram.
    private static let bins = 40

    init(_ data: GalleryData, score: String) throws {
        let summary = try data.corpus.summary()
        (samples, prompts, shards) = (summary.samples, summary.prompts, summary.shards)
        (scored, self.score) = (summary.scored, score)
        origins = try data.browser.origins()
        scores = try data.browser.scores()
        do throws(CorpusError) {
            distribution = try data.browser.distribution(of: score, bins: Self.bins)
            distributionProblem = nil
        } catch { (distribution, distributionProblem) = (nil, error.description) }
        selections = try Self.selections(data)
        marks = try data.corpus.annotationSummaries()
        space = Space(
            sealed: try data.browser.sealedBytes(), thumbnails: data.thumbnails.bytes,
            free: try Disk.freeBytes(at: data.corpus.folder.path))
    }

    static func selections(_ data: GalleryData) throws -> [NamedSelection] {
        try data.corpus.selectionNames().map { name in
            do throws(CorpusError) {
                let history = try data.corpus.history(of: name)
                let members = try data.members(of: name)
                return NamedSelection(
                    name: name, samples: members.ids.count, problem: nil, time: history.last?.time ?? 0,
                    versions: history.count)
            } catch {
                return NamedSelection(name: name, samples: nil, problem: error.description, time: 0, versions: 0)
            }
        }
    }
}
