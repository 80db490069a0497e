/// Which samples of the selection a packed layer holds: those from one id to another. A puller that has them all need not
/// fetch the layer.
struct LayerRange: Equatable {
    var first: String
    var last: String
    var count: Int

    init(first: String, last: String, count: Int) {
        (self.first, self.last, self.count) = (first, last, count)
    }

    private static let key = "dev.attune.shard"

    var annotations: [String: String] {
        ["\(Self.key).first": first, "\(Self.key).last": last, "\(Self.key).samples": String(count)]
    }

    /// Nil for a layer that does not say.
    init?(_ annotations: [String: String]?) {
        guard let first = annotations?["\(Self.key).first"], let last = annotations?["\(Self.key).last"],
            let count = annotations?["\(Self.key).samples"].flatMap({ Int($0) })
        else { return nil }
        self.init(first: first, last: last, count: count)
    }

    func contains(_ id: String) -> Bool { first <= id && id <= last }
}
