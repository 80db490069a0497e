package import Foundation

/// What `verify` looks at.
package struct VerifyOptions: Sendable {
    /// The share of the large files, shards and checkpoints, to read: 0…1. Which ones is drawn again each time.
    package var share: Double
    /// Only what was written since; nil for everything.
    package var since: Date?

    package init(share: Double = 1, since: Date? = nil) { (self.share, self.since) = (share, since) }

    var isPartial: Bool { share < 1 || since != nil }
}

/// What `verify` found.
package struct VerifyReport: Sendable {
    /// Objects whose bytes were read.
    package var shards = 0
    package var selections = 0
    package var names = 0
    package var runs = 0
    package var checkpoints = 0
    package var adapters = 0
    package var bytes: Int64 = 0
    /// One entry per object; empty when all is well.
    package var damage: [Damage] = []
    /// What is not damage and still worth mentioning, such as a run that was stopped.
    package var notes: [String] = []
}
