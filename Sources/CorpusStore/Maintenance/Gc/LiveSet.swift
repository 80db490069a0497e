import Foundation
import HDF5

/// What `gc` must leave alone.
///
/// A selection is live when a name has it in its history, when a run's log mentions it, when a live
/// combination was made of it, or when it is younger than the grace period or than the oldest lease. A sample is live when
/// a live selection has it, when a `--keep` condition fits it or none was given, or when its shard is younger than those.
/// Names, runs and what is in quarantine always are.
/// Nothing that is younger than the moment at which `gc` began is touched, whatever the grace period.
struct LiveSet {
    private let young: Date
    private(set) var selections: Set<Digest> = []
    /// Samples of live selections.
    private(set) var samples: Set<Digest> = []

    /// - Parameter begin: when `gc` began, before it asked anything.
    /// - Throws: ``CorpusError`` where anything cannot be looked at that may refer to something.
    init(of corpus: Corpus, _ options: GcOptions, begin: Date) throws(CorpusError) {
        let leased = try corpus.oldestLease(removing: !options.isTrial)
        young = min(begin.addingTimeInterval(-options.grace), leased ?? begin)
        let references = References(corpus)
        // What a name refers to that cannot be read is not known to be dead.
        if let unreadable = references.problems.first { throw unreadable }
        for trail in references.trails {
            if let problem = trail.problem { throw problem }
        }
        for digest in try corpus.selectionDigests() {
            let isNamed = references.names[digest] != nil
            let isRead = references.trails.contains { $0.mentions.contains(digest) }
            let isYoung = try isYoung(corpus.selectionURL(digest), of: corpus)
            if isNamed || isRead || isYoung { try add(digest, of: corpus) }
        }
    }

    /// A combination needs what it was made of, to be made again.
    private mutating func add(_ digest: Digest, of corpus: Corpus) throws(CorpusError) {
        guard try corpus.hasSelection(digest), selections.insert(digest).inserted else { return }
        let selection = try corpus.selection(digest)
        samples.formUnion(selection.ids)
        if case .combination(_, let operands) = selection.policy {
            for operand in operands { try add(operand, of: corpus) }
        }
    }

    /// Whether a file may be part of something that is not finished yet.
    func isYoung(_ file: URL, of corpus: Corpus) throws(CorpusError) -> Bool {
        guard let stamp = try corpus.stamp(file) else { return false }
        return Date(timeIntervalSince1970: Double(stamp.changed) / 1e9) > young
    }
}
