/// A prompt of the shapes grammar, taken apart.
package struct ShapesPrompt: Hashable, Sendable {
    package enum Category: String, CaseIterable, Codable, Sendable {
        case color, shape, spatial, counting, complex
    }

    /// Where the first object lies, seen from the second.
    package enum Relation: String, CaseIterable, Codable, Sendable {
        case left = "to the left of"
        case right = "to the right of"
        case above
        case below
    }

    /// An object that the prompt asks for; nil means any color.
    package struct Object: Hashable, Sendable {
        package let color: ShapeColor?
        package let shape: ShapeKind

        package init(_ color: ShapeColor?, _ shape: ShapeKind) {
            (self.color, self.shape) = (color, shape)
        }
    }

    package let category: Category
    package let objects: [Object]
    package let relation: Relation?

    private init(_ category: Category, _ objects: [Object], _ relation: Relation? = nil) {
        (self.category, self.objects, self.relation) = (category, objects, relation)
    }

    /// Two objects; the category follows from what is said of them.
    ///
    /// - Returns: nil when shapes or colors are equal, or only one of the colors is given: the grammar has no such form.
    package init?(_ first: Object, _ relation: Relation? = nil, _ second: Object) {
        guard first.shape != second.shape, (first.color == nil) == (second.color == nil),
            first.color == nil || first.color != second.color
        else { return nil }
        let category: Category =
            switch (first.color, relation) {
            case (.some, nil): .color
            case (.some, .some): .complex
            case (nil, nil): .shape
            case (nil, .some): .spatial
            }
        self.init(category, [first, second], relation)
    }

    /// One to four equal objects.
    package init?(_ count: Int, _ color: ShapeColor, _ shape: ShapeKind) {
        guard Self.numbers.indices.contains(count - 1) else { return nil }
        self.init(.counting, Array(repeating: Object(color, shape), count: count))
    }

    static let numbers = ["one", "two", "three", "four"]

    package var text: String {
        if category == .counting, let object = objects.first, let color = object.color {
            let noun = objects.count == 1 ? object.shape.rawValue : object.shape.plural
            return "\(Self.numbers[objects.count - 1]) \(color.rawValue) \(noun)"
        }
        let parts = objects.map { object in
            let words = [object.color?.rawValue, object.shape.rawValue].compactMap(\.self).joined(separator: " ")
            return (words.first.map("aeiou".contains) == true ? "an " : "a ") + words
        }
        return parts.joined(separator: " \(relation?.rawValue ?? "and") ")
    }

    /// Reads a prompt; nil for a text that the grammar does not have.
    package init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        if let first = words.first, let count = Self.numbers.firstIndex(of: first) {
            guard words.count == 3, let color = ShapeColor(rawValue: words[1]),
                let shape = ShapeKind.allCases.first(where: { words[2] == (count == 0 ? $0.rawValue : $0.plural) })
            else { return nil }
            self.init(count + 1, color, shape)
            return
        }
        var rest = words[...]
        guard let first = Self.takeObject(&rest) else { return nil }
        let links: [Relation?] = [nil] + Relation.allCases
        let link = links.first { rest.starts(with: ($0?.rawValue ?? "and").split(separator: " ").map(String.init)) }
        guard let relation = link else { return nil }
        rest = rest.dropFirst(relation == .left || relation == .right ? 4 : 1)
        guard let second = Self.takeObject(&rest), rest.isEmpty else { return nil }
        self.init(first, relation, second)
        // "an red circle" is not of the grammar.
        guard self.text == text else { return nil }
    }

    private static func takeObject(_ words: inout ArraySlice<String>) -> Object? {
        guard let article = words.popFirst(), article == "a" || article == "an", let word = words.popFirst() else {
            return nil
        }
        if let shape = ShapeKind(rawValue: word) { return Object(nil, shape) }
        guard let color = ShapeColor(rawValue: word), let shape = words.popFirst().flatMap(ShapeKind.init) else {
            return nil
        }
        return Object(color, shape)
    }
}
