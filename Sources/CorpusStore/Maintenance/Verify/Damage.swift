/// What is wrong with one object of a corpus, and what that takes with it.
package struct Damage: Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case shard, selection, name, checkpoint, adapter, log, settings, catalogue
    }

    package let kind: Kind
    /// ``CorpusError/Code/damaged`` or ``CorpusError/Code/notFound``, mostly.
    package let code: CorpusError.Code
    /// The object's path.
    package let subject: String
    /// What is wrong, and what to do.
    package let message: String
    /// The object's name, where that is a digest.
    package var digest: Digest?
    /// The samples in it, as far as the catalogue knows them.
    package var samples: [Digest] = []
    /// The selections that need it: their names, or the digests of those that only a run names.
    package var selections: [String] = []
    /// The runs that need it.
    package var runs: [String] = []

    init(_ kind: Kind, _ error: CorpusError, digest: Digest? = nil) {
        (self.kind, code, subject, message) = (kind, error.code, error.subject, error.message)
        self.digest = digest
    }

    package var description: String {
        var text = "\(subject): \(message)"
        if let first = samples.first {
            text +=
                samples.count == 1
                ? "; it holds sample \(first)" : "; it holds \(samples.count) samples, \(first) first"
        }
        if !selections.isEmpty { text += "; needed by the \(listed(selections, "selection"))" }
        if !runs.isEmpty { text += "; needed by the \(listed(runs, "run"))" }
        return text
    }

    private func listed(_ names: [String], _ noun: String) -> String {
        "\(noun)\(names.count == 1 ? "" : "s") \(names.joined(separator: ", "))"
    }
}

/// "1 shard", "2 shards".
package func counted(_ count: Int, _ noun: String, plural: String? = nil) -> String {
    "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}
