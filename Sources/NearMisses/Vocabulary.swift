/// The words that rules replace by others of their kind.
enum Vocabulary {
    /// A kind of words of which one excludes the others.
    enum Kind: Int, CaseIterable, Sendable {
        case color, material, size, pattern, age, state, shape, animal, person, vehicle, food, furniture, number,
            relation

        /// Whether its words are nouns, which have plurals.
        var isNoun: Bool {
            switch self {
            case .shape, .animal, .person, .vehicle, .food, .furniture: true
            default: false
            }
        }
    }

    /// A word, and those that mean the same.
    struct Entry: Sendable {
        let kind: Kind
        /// Its place among the entries of the kind.
        let index: Int
        /// The first is written where the entry replaces another.
        let spellings: [String]
        /// Entries that replace it first, the most likely confusions.
        let opposites: [Int]
    }

    /// Words of each kind: synonyms are joined by `/`, a pair of opposites by `|`.
    private static let lists: [Kind: [String]] = [
        .color: [
            "red", "green", "blue", "yellow", "purple/violet", "orange", "pink", "cyan/turquoise/teal", "black|white",
            "brown",
            "gray/grey", "beige", "golden", "silver",
        ],
        .material: [
            "wooden|metal", "plastic|glass", "leather", "stone", "rubber", "ceramic", "paper", "brick", "concrete",
        ],
        .size: [
            "big/large|small/little", "huge/giant|tiny", "tall|short", "wide|narrow", "thick|thin", "long|stubby",
        ],
        .pattern: ["striped", "spotted", "checkered", "plain", "floral"],
        .age: ["old|new", "young|elderly"],
        .state: [
            "open|closed", "empty|full", "clean|dirty", "wet|dry", "round|square-shaped", "smooth|rough", "shiny|matte",
            "smiling|crying", "sitting|standing", "sleeping|running",
        ],
        .shape: [
            "circle", "square", "diamond", "triangle", "star", "cross", "cube|sphere", "cylinder|cone",
            "rectangle|oval",
            "pyramid", "hexagon", "pentagon",
        ],
        .animal: [
            "dog|cat", "horse|cow", "bird", "sheep", "elephant|giraffe", "zebra", "bear", "rabbit|mouse", "lion|tiger",
            "fish",
            "duck", "frog|turtle", "butterfly|bee", "monkey",
        ],
        .person: ["man|woman", "boy|girl"],
        .vehicle: ["car|truck", "bus|train", "bicycle/bike|motorcycle", "boat|ship", "airplane/plane|helicopter"],
        .food: [
            "apple|banana", "pizza|sandwich", "cake|donut", "carrot|broccoli", "strawberry|lemon", "tomato|cucumber",
        ],
        .furniture: ["chair|table", "bed|couch/sofa", "desk|bench", "lamp|clock", "vase|bowl", "cup/mug|bottle"],
        .number: ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
        .relation: [
            "to the left of/on the left of/left of|to the right of/on the right of/right of",
            "above/over|below/under/beneath/underneath", "in front of|behind", "on top of|at the bottom of",
            "inside/inside of|outside/outside of", "next to/beside/near/close to|far from/far away from",
        ],
    ]

    static let entries: [Kind: [Entry]] = lists.reduce(into: [:]) { all, list in
        let (kind, pairs) = list
        for pair in pairs {
            let sides = pair.split(separator: "|").map { $0.split(separator: "/").map(String.init) }
            let first = all[kind, default: []].count
            for (side, spellings) in sides.enumerated() {
                let opposites = sides.count == 2 ? [first + 1 - side] : []
                all[kind, default: []].append(
                    Entry(kind: kind, index: first + side, spellings: spellings, opposites: opposites))
            }
        }
    }

    /// How many of a kind's entries may replace one of their own: those after are too rare, or too little of a contradiction.
    static func alternatives(to entry: Entry) -> [Entry] {
        let all = entries[entry.kind] ?? []
        let opposites = entry.opposites.map { all[$0] }
        switch entry.kind {
        // Only its opposite contradicts it: a big dog may be old.
        case .size, .age, .state, .person: return opposites
        // Each of four directions contradicts the others; of the rest only the opposite does.
        case .relation:
            return entry.index < 4
                ? opposites + all[0..<4].filter { $0.index != entry.index && !entry.opposites.contains($0.index) }
                : opposites
        default: return opposites + all.filter { $0.index != entry.index && !entry.opposites.contains($0.index) }
        }
    }

    /// Entries by the words of their spellings; nouns by their plurals too.
    static let meanings: [String: (entry: Entry, isPlural: Bool)] = entries.values.joined().reduce(into: [:]) {
        all, entry in
        for spelling in entry.spellings {
            all[spelling] = (entry, false)
            if entry.kind.isNoun { all[Inflection.plural(spelling)] = (entry, Inflection.plural(spelling) != spelling) }
        }
    }

    /// The most words that a spelling has.
    static let longest = meanings.keys.map { $0.split(separator: " ").count }.max() ?? 1

    /// Words that end a noun phrase.
    static let stops: Set<String> = [
        "a", "an", "the", "and", "or", "with", "without", "of", "in", "on", "at", "by", "to", "from", "for", "near",
        "next", "under",
        "over", "above", "below", "behind", "beside", "between", "inside", "outside", "into", "onto", "while", "that",
        "which", "who",
        "is", "are", "was", "were", "has", "have", "his", "her", "their", "its", "as", "up", "down", "through",
        "around", "against",
        "sitting", "standing", "lying", "laying", "walking", "running", "eating", "holding", "riding", "playing",
        "looking", "wearing",
    ]

    /// Words that an adjective or a number follows or precedes without being one.
    static let determiners: Set<String> = [
        "a", "an", "the", "this", "that", "some", "any", "each", "every", "another", "no",
    ]
}
