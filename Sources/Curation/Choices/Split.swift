/// Named parts of a selection, `train=0.9,test=0.1`, that share no prompt and no near-duplicates.
package struct Split: Sendable, Equatable {
    package struct Part: Sendable, Equatable {
        package let name: String
        package let share: Double
    }

    package let parts: [Part]

    /// - Throws: ``CurationError`` for what is not a list of two or more names and positive shares that add up to 1.
    package init(_ text: String) throws(CurationError) {
        var parts: [Part] = []
        for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = piece.split(separator: "=", omittingEmptySubsequences: false)
            let allowed = halves[0].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
            guard halves.count == 2, !halves[0].isEmpty, allowed, let share = Double(halves[1]), share > 0, share < 1
            else {
                throw CurationError("--split \(text)", "is not names with shares, as in train=0.9,test=0.1")
            }
            guard !parts.contains(where: { $0.name == halves[0] }) else {
                throw CurationError("--split \(text)", "names \(halves[0]) twice")
            }
            parts.append(Part(name: String(halves[0]), share: share))
        }
        guard parts.count > 1 else { throw CurationError("--split \(text)", "has one part: give two or more") }
        let total = parts.reduce(0) { $0 + $1.share }
        guard abs(total - 1) < 1e-6 else {
            throw CurationError("--split \(text)", "its shares add up to \(total), not to 1")
        }
        self.parts = parts
    }

    /// Deals out groups, the largest first, each to the part that is farthest below its share.
    ///
    /// - Parameter sets: what must stay together.
    /// - Returns: for each part, places in ascending order.
    /// - Throws: ``CurationError`` where a part gets nothing, as where one group holds nearly all.
    package func deal(_ sets: DisjointSets) throws(CurationError) -> [[Int]] {
        var members: [Int: [Int]] = [:]
        for place in 0..<sets.count { members[sets.root(place), default: []].append(place) }
        let groups = members.values.sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
        var dealt = [[Int]](repeating: [], count: parts.count)
        for group in groups {
            let missing = parts.indices.map { parts[$0].share * Double(sets.count) - Double(dealt[$0].count) }
            let place = missing.indices.max { missing[$0] < missing[$1] } ?? 0
            dealt[place] += group
        }
        if let empty = dealt.firstIndex(where: \.isEmpty) {
            throw CurationError(
                "--split \(parts[empty].name)=\(parts[empty].share)",
                "no samples are left for it: the \(sets.count) samples are \(groups.count) groups of one prompt or near-duplicates, "
                    + "the largest of \(groups.first?.count ?? 0)")
        }
        return dealt.map { $0.sorted() }
    }
}
