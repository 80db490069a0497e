import Foundation
import HDF5

/// What `gc` must leave alone.
///
/// A selection is live when a name has it in its history, when a run's log mentions it, when a live
/// combination was made of it, or when it is younger than the grace period or than the oldest lease. A sample is live when a live selection has it, when a `--keep` condition fits
/// it or none was given, or when its shard is younger than those. Names, runs and what is in quarantine always are.
struct LiveSet {
    private let young: Date
    private(set) var selections: Set<Digest> = []
    /// Samples of live selections.
    private(set) var samples: Set<Digest> = []

    init(of corpus: Corpus, _ options: GcOptions) throws(CorpusError) {
        let now = Date()
        young = min(now.addingTimeInterval(-options.grace), corpus.oldestLease() ?? now)
        var unreadable: CorpusError?
        let references = References(corpus) { unreadable = unreadable ?? $0 }
        // What a name refers to that cannot be read is not known to be dead.
        if let unreadable { throw unreadable }
        for trail in references.trails {
            if let problem = trail.problem { throw problem }
        }
        for digest in corpus.selectionDigests() {
            let isNamed = references.names[digest] != nil
            let isRead = references.trails.contains { $0.mentions.contains(digest) }
            guard isNamed || isRead || isYoung(corpus.selectionURL(digest)) else { continue }
            try add(digest, of: corpus)
        }
    }

    /// A combination needs what it was made of, to be made again.
    private mutating func add(_ digest: Digest, of corpus: Corpus) throws(CorpusError) {
        guard corpus.hasSelection(digest), selections.insert(digest).inserted else { return }
        let selection = try corpus.selection(digest)
        samples.formUnion(selection.ids)
        if case .combination(_, let operands) = selection.policy {
            for operand in operands { try add(operand, of: corpus) }
        }
    }

    /// Whether a file may be part of something that is not finished yet.
    func isYoung(_ file: URL) -> Bool {
        guard let stamp = FileStamp(path: file.path) else { return false }
        return Date(timeIntervalSince1970: Double(stamp.changed) / 1e9) >= young
    }
}
