package import Foundation

/// What `gc` may remove.
package struct GcOptions: Sendable {
    /// SQL conditions over the catalogue's columns: a sample that fits one of them stays. Nil keeps every sample.
    package var keep: [String]?
    /// What is younger stays, in seconds.
    package var grace: TimeInterval
    /// Only say what would go.
    package var isTrial: Bool

    package static let defaultGrace: TimeInterval = 14 * 86_400

    package init(keep: [String]? = nil, grace: TimeInterval = defaultGrace, isTrial: Bool = false) {
        (self.keep, self.grace, self.isTrial) = (keep, grace, isTrial)
    }
}

/// What `gc` removed, or would remove.
package struct GcReport: Sendable {
    package var samples: [Digest] = []
    package var selections: [Digest] = []
    /// Shards that went, with or without one in their place.
    package var shards: [Digest] = []
    /// Unfinished writes of processes that are gone.
    package var unfinished = 0
    /// Notes of shards that were replaced so long ago that every catalogue has seen them.
    package var notes = 0
    package var bytes: Int64 = 0
}
