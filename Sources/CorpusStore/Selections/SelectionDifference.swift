/// What two selections have in common, and what only one of them has.
package struct SelectionDifference: Sendable, Equatable {
    /// In the first selection's order.
    package let common: [Digest]
    package let onlyInFirst: [Digest]
    package let onlyInSecond: [Digest]
    /// Whether the common samples stand in the same order in both: training reads a selection in order.
    package let keepsOrder: Bool

    package init(_ first: Selection, _ second: Selection) {
        common = SelectionPolicy.SetOperation.intersection([first.ids, second.ids])
        onlyInFirst = SelectionPolicy.SetOperation.difference([first.ids, second.ids])
        onlyInSecond = SelectionPolicy.SetOperation.difference([second.ids, first.ids])
        keepsOrder = common == SelectionPolicy.SetOperation.intersection([second.ids, first.ids])
    }

    package var isEmpty: Bool { onlyInFirst.isEmpty && onlyInSecond.isEmpty && keepsOrder }
}
