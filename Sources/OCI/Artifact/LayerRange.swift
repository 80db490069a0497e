import CorpusStore

/// Which samples of the selection a packed layer is about: those from one id to another. A puller that has them all, or
/// for scores, has them all by this scorer, need not fetch the layer.
struct LayerRange: Equatable {
    var first: Digest
    var last: Digest
    var count: Int
    /// Of a layer of scores, the digest of the scorer; of annotations, its name; of vectors, theirs.
    var scorer: String?
    /// Of a layer of annotations or vectors.
    var revision: Int?
    /// Numbers of a vector.
    var width: Int?

    /// - Parameter samples: at least one, in order of their ids.
    init(_ samples: [Digest], scorer: String? = nil, revision: Int? = nil, width: Int? = nil) {
        precondition(!samples.isEmpty, "a layer holds something")
        (first, last, count) = (samples[0], samples[samples.count - 1], samples.count)
        (self.scorer, self.revision, self.width) = (scorer, revision, width)
    }

    private static let key = "dev.attune.shard"

    var annotations: [String: String] {
        var all = ["\(Self.key).first": first.hex, "\(Self.key).last": last.hex, "\(Self.key).samples": String(count)]
        if let scorer { all["\(Self.key).scorer"] = scorer }
        if let revision { all["\(Self.key).revision"] = String(revision) }
        if let width { all["\(Self.key).width"] = String(width) }
        return all
    }

    /// Nil for a layer that does not say.
    init?(_ annotations: [String: String]?) {
        guard let first = annotations?["\(Self.key).first"].flatMap({ Digest(hex: $0) }),
            let last = annotations?["\(Self.key).last"].flatMap({ Digest(hex: $0) }),
            let count = annotations?["\(Self.key).samples"].flatMap({ Int($0) })
        else { return nil }
        (self.first, self.last, self.count) = (first, last, count)
        scorer = annotations?["\(Self.key).scorer"]
        revision = annotations?["\(Self.key).revision"].flatMap { Int($0) }
        width = annotations?["\(Self.key).width"].flatMap { Int($0) }
    }

    func contains(_ id: Digest) -> Bool { first <= id && id <= last }
}
