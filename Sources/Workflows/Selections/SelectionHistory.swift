package import CorpusStore

/// The selections that a name has stood for, oldest first, each with what changed.
package struct SelectionHistory: Encodable {
    package struct Version: Encodable {
        /// What `diff`, `show` and `select` take: `name~1` is the one before the present one.
        package let selection: String
        package let digest, time, policy: String
        package let samples: Int
        /// Samples that the version before did not have, and those that it had and this one has not.
        package let added, removed: Int
    }

    package let name: String
    package let versions: [Version]

    package init(_ name: String, in corpus: Corpus) throws {
        self.name = name
        let references = try corpus.history(of: name)
        guard !references.isEmpty else {
            // The error that names what there is.
            _ = try corpus.selection(named: name)
            throw Failure("\(name): no such selection")
        }
        var versions: [Version] = []
        var before: Selection?
        for (index, reference) in references.enumerated() {
            let selection = try corpus.selection(reference.digest)
            let change = before.map { SelectionDifference($0, selection) }
            let back = references.count - 1 - index
            versions.append(
                Version(
                    selection: back == 0 ? name : "\(name)~\(back)", digest: selection.digest.hex,
                    time: SelectionListing.text(reference.time), policy: SelectionListing.words(selection.policy),
                    samples: selection.ids.count, added: change?.onlyInSecond.count ?? selection.ids.count,
                    removed: change?.onlyInFirst.count ?? 0))
            before = selection
        }
        self.versions = versions
    }

    package var table: Table {
        Table(
            columns: ["selection", "made", "samples", "added", "removed", "digest", "policy"],
            rows: versions.map {
                [
                    $0.selection, $0.time, String($0.samples), "+\($0.added)", "-\($0.removed)",
                    String($0.digest.prefix(12)), $0.policy,
                ]
            })
    }
}
