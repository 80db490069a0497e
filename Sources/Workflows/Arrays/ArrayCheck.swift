import CorpusStore
import Tuning

/// Whether the workers that share a job do the same work: each tells the others what it was given (`schemas/array.md`).
package struct ArrayCheck: Sendable {
    /// Attune's version; nil in tests.
    package var version: String?
    /// Work beside others that were given something else.
    package var isBesideOthers = false

    package init(version: String? = nil, isBesideOthers: Bool = false) {
        (self.version, self.isBesideOthers) = (version, isBesideOthers)
    }

    /// Takes this worker's place; it is held for as long as what is returned lives.
    ///
    /// - Parameters:
    ///   - work: the command.
    ///   - name: of what is shared out.
    ///   - settings: what decides what is made, by its name in messages; nil for none.
    ///   - warn: told of an earlier array that had other settings, and of processors that give other bytes.
    /// - Returns: nil for work that is not shared out.
    /// - Throws: ``Failure`` naming what differs from workers that are at work; ``CorpusError``.
    func join(
        _ part: Part, of work: String, on name: String, tag: String? = nil, settings: [String: String?],
        in corpus: Corpus, warn: (String) -> Void
    ) throws -> ArrayMembership? {
        guard part.count > 1 else { return nil }
        var settings = settings.compactMapValues(\.self)
        settings["attune"] = version
        let manifest = ArrayManifest(
            work: work, name: name, tag: tag, parts: part.count, settings: settings,
            computer: RunComputer.current().description)
        switch try corpus.join(manifest, besideOthers: isBesideOthers) {
        case .refused(let other):
            throw Failure(
                "\(work): other workers of the \(part.count) parts are at work with \(Self.text(manifest, other)) (host "
                    + "\(other.host)): give all of them the same, wait until they are done, or work beside them with "
                    + "--allow-mixed")
        case .joined(let membership):
            guard let other = membership.other else { return membership }
            if manifest.settings != other.settings {
                warn(
                    "note: \(membership.isBesideOthers ? "other workers are at work" : "the workers before") "
                        + "\(membership.isBesideOthers ? "with" : "had") \(Self.text(manifest, other))")
            }
            if membership.isBesideOthers, manifest.computer != other.computer {
                warn(
                    "note: other workers have another processor (\(other.computer) on host \(other.host), here "
                        + "\(manifest.computer)): the last bits of what is made depend on which of them makes it")
            }
            return membership
        }
    }

    private static func text(_ here: ArrayManifest, _ there: ArrayManifest) -> String {
        here.differences(from: there).map { "\($0.name) \($0.there) (here \($0.here))" }.joined(separator: ", ")
    }
}
