/// English word forms, as far as replacing a word needs them.
enum Inflection {
    private static let irregular = [
        "man": "men", "woman": "women", "mouse": "mice", "sheep": "sheep", "fish": "fish", "child": "children",
        "person": "people", "foot": "feet", "tooth": "teeth", "knife": "knives", "leaf": "leaves", "shelf": "shelves",
        "broccoli": "broccoli", "tomato": "tomatoes", "potato": "potatoes", "goose": "geese",
    ]
    private static let irregularPlurals = Dictionary(irregular.map { ($0.value, $0.key) }) { first, _ in first }

    static func plural(_ noun: String) -> String {
        if let known = irregular[noun] { return known }
        let beforeLast = noun.dropLast().last ?? "a"
        if noun.hasSuffix("y"), !"aeiou".contains(beforeLast) { return noun.dropLast() + "ies" }
        return noun + (["s", "x", "z", "ch", "sh"].contains { noun.hasSuffix($0) } ? "es" : "s")
    }

    /// Nil for what does not look like a plural.
    static func singular(_ noun: String) -> String? {
        if let known = irregularPlurals[noun] { return known }
        if noun.hasSuffix("ies"), noun.count > 4 { return noun.dropLast(3) + "y" }
        if ["sses", "xes", "zes", "ches", "shes", "buses"].contains(where: { noun.hasSuffix($0) }) {
            return String(noun.dropLast(2))
        }
        guard noun.hasSuffix("s"), !noun.hasSuffix("ss"), !noun.hasSuffix("us"), noun.count > 2 else { return nil }
        return String(noun.dropLast())
    }

    /// "a" or "an", as the next word has it.
    static func article(before word: String) -> String {
        let word = word.lowercased()
        if ["hour", "honest", "heir", "honor"].contains(where: { word.hasPrefix($0) }) { return "an" }
        if ["uni", "use", "usu", "eu", "one", "once", "ukulele"].contains(where: { word.hasPrefix($0) }) { return "a" }
        return word.first.map("aeiou".contains) == true ? "an" : "a"
    }

    private static let verbs = [("are", "is"), ("were", "was"), ("have", "has")]

    /// A verb for one thing, or for more; nil for words that stay.
    static func verb(_ word: String, isPlural: Bool) -> String? {
        for (many, one) in verbs where word == (isPlural ? one : many) { return isPlural ? many : one }
        return nil
    }
}
