package import CorpusStore

/// Two selections side by side, as `diff` prints them. Laid down in schemas/diff.schema.json.
package struct SelectionComparison: Encodable {
    package struct Side: Encodable {
        package let selection: String
        package let digest: Digest
        package let samples: Int
        /// Over the samples that are in the corpus and have been scored; none without any.
        package let meanMI: Double?
        package let only: [Digest]

        package enum CodingKeys: String, CodingKey {
            case selection, digest, samples, only
            case meanMI = "mean_mi"
        }
    }

    package let a, b: Side
    package let common: Int
    package let sameOrder: Bool
    /// The second's mean less the first's.
    package let meanMIChange: Double?

    package enum CodingKeys: String, CodingKey {
        case a, b, common
        case sameOrder = "same_order"
        case meanMIChange = "mean_mi_change"
    }

    private let rows: [Digest: CatalogueRow]
    private let columns: SampleColumns
    private let annotations: SampleAnnotations

    /// - Parameters:
    ///   - a: a selection as ``SelectionArgument`` finds it.
    ///   - b: the same.
    ///   - columns: of the samples that only one side has in ``text()``, separated by commas.
    /// - Throws: ``UsageError`` for a column that is none, ``CorpusError`` and ``Failure`` for what cannot be found.
    package init(_ a: String, _ b: String, in corpus: Corpus, columns: String) throws {
        annotations = try SampleAnnotations(corpus)
        self.columns = try SampleColumns(columns, scorers: annotations.scorers)
        let a = try SelectionArgument(a, in: corpus, complete: false)
        let b = try SelectionArgument(b, in: corpus, complete: false)
        let difference = SelectionDifference(a.selection, b.selection)
        let rows = try corpus.rows(Array(Set(a.selection.ids + b.selection.ids)))
        func side(_ argument: SelectionArgument, only: [Digest]) -> Side {
            let scores = argument.selection.ids.compactMap { rows[$0]?.mi }
            return Side(
                selection: argument.text, digest: argument.selection.digest,
                samples: argument.selection.ids.count,
                meanMI: scores.isEmpty ? nil : scores.reduce(0, +) / Double(scores.count), only: only)
        }
        let (first, second) = (side(a, only: difference.onlyInFirst), side(b, only: difference.onlyInSecond))
        (self.a, self.b) = (first, second)
        common = difference.common.count
        sameOrder = difference.keepsOrder
        meanMIChange = first.meanMI.flatMap { mean in second.meanMI.map { $0 - mean } }
        self.rows = rows
    }

    package func text() throws -> String {
        func number(_ value: Double?) -> String { value.map { formatted($0, digits: 3) } ?? "-" }
        let sides = Table(
            columns: ["", "selection", "samples", "only here", "mean mi", "digest"],
            rows: [("A", a), ("B", b)].map { name, side in
                [
                    name, side.selection, String(side.samples), String(side.only.count), number(side.meanMI),
                    String(side.digest.hex.prefix(12)),
                ]
            })
        var text = sides.text + "\n\(counted(common, "sample")) in both" + (sameOrder ? "" : ", in another order")
        if let meanMIChange {
            text += "; mean mi changes by \(meanMIChange < 0 ? "" : "+")\(number(meanMIChange))"
        }
        for (name, side) in [("A", a), ("B", b)] where !side.only.isEmpty {
            let unknown = side.only.filter { rows[$0] == nil }
            let present = side.only.compactMap { rows[$0] }
            text += "\n\nonly in \(name)\n" + columns.table(present, try annotations.values(present)).text
            if !unknown.isEmpty { text += "\nnot in this corpus: " + unknown.map(\.hex).joined(separator: " ") }
        }
        return text
    }
}
