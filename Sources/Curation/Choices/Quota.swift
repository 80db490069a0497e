/// How many samples of one kind are wanted: `tag=color:200`.
package struct Quota: Sendable, Equatable {
    /// A column with texts.
    package let column: String
    package let value: String
    package let count: Int

    package init(column: String, value: String, count: Int) {
        (self.column, self.value, self.count) = (column, value, count)
    }

    /// - Returns: nil for what is not a quota. The value may have anything in it, colons too.
    package init?(_ text: String) {
        guard let equals = text.firstIndex(of: "="), let colon = text.lastIndex(of: ":"), equals < colon,
            let count = Int(text[text.index(after: colon)...]), count > 0
        else { return nil }
        let column = text[..<equals]
        guard !column.isEmpty else { return nil }
        self.init(column: String(column), value: String(text[text.index(after: equals)..<colon]), count: count)
    }

    /// Takes the first of each quota's kind, in order.
    ///
    /// - Parameters:
    ///   - quotas: what to take how many of.
    ///   - count: of the samples.
    ///   - kind: the value that a sample has in a column; nil where it has none.
    /// - Returns: places, ascending.
    /// - Throws: ``CurationError`` for a quota that fewer samples fit, and one that is given twice.
    package static func fill(
        _ quotas: [Quota], count: Int, kind: (_ column: String, _ place: Int) -> String?
    ) throws(CurationError) -> [Int] {
        var taken: Set<Int> = []
        for (number, quota) in quotas.enumerated() {
            if quotas[..<number].contains(where: { $0.column == quota.column && $0.value == quota.value }) {
                throw CurationError("--quota \(quota.column)=\(quota.value)", "is given twice: which counts?")
            }
            let fitting = (0..<count).filter { kind(quota.column, $0) == quota.value }
            // A sample that another quota has taken cannot fill this one too.
            let free = fitting.filter { !taken.contains($0) }
            guard free.count >= quota.count else {
                throw CurationError(
                    "--quota \(quota.column)=\(quota.value):\(quota.count)",
                    "only \(free.count) samples fit\(free.count < fitting.count ? " beside the other quotas" : ""): ask for fewer, or make more"
                )
            }
            taken.formUnion(free.prefix(quota.count))
        }
        return taken.sorted()
    }
}
