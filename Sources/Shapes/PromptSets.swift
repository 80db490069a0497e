import Randomness

/// The benchmark's prompts: fixed training and test sets that share no prompt.
package enum PromptSets {
    /// How many prompts both sets have together; shape, spatial and counting give all that the grammar has.
    package static let total = 1000

    package static let train = sets.train
    package static let test = sets.test

    /// Every prompt of a category, in the grammar's order.
    package static func all(_ category: ShapesPrompt.Category) -> [ShapesPrompt] {
        typealias Object = ShapesPrompt.Object
        let kinds = ShapeKind.allCases
        let colors: [ShapeColor?] = ShapeColor.allCases
        let relations: [ShapesPrompt.Relation?] = ShapesPrompt.Relation.allCases
        func pairs(_ colors: [ShapeColor?], _ relations: [ShapesPrompt.Relation?]) -> [ShapesPrompt] {
            var prompts: [ShapesPrompt] = []
            for color in colors {
                for kind in kinds {
                    for relation in relations {
                        for otherColor in colors {
                            for otherKind in kinds {
                                let prompt = ShapesPrompt(
                                    Object(color, kind), relation, Object(otherColor, otherKind))
                                if let prompt { prompts.append(prompt) }
                            }
                        }
                    }
                }
            }
            return prompts
        }
        return switch category {
        case .color: pairs(colors, [nil])
        case .shape: pairs([nil], [nil])
        case .spatial: pairs([nil], relations)
        case .complex: pairs(colors, relations)
        case .counting:
            (1...ShapesPrompt.numbers.count).flatMap { count in
                ShapeColor.allCases.flatMap { color in kinds.compactMap { ShapesPrompt(count, color, $0) } }
            }
        }
    }

    private static let sets: (train: [ShapesPrompt], test: [ShapesPrompt]) = {
        let whole: [ShapesPrompt.Category] = [.shape, .spatial, .counting]
        let rest = total - whole.map { all($0).count }.reduce(0, +)
        var train: [ShapesPrompt] = []
        var test: [ShapesPrompt] = []
        var taken = 0
        for category in ShapesPrompt.Category.allCases {
            let prompts = all(category).sorted { (order($0), $0.text) < (order($1), $1.text) }
            let share =
                switch category {
                case .shape, .spatial, .counting: prompts.count
                case .color: rest / 2
                case .complex: rest - rest / 2
                }
            let chosen = prompts.prefix(share)
            // Seven tenths of all prompts so far, so that the total comes out even.
            taken += share
            let cut = (taken * 7 + 5) / 10 - train.count
            train += chosen.prefix(cut)
            test += chosen.dropFirst(cut)
        }
        return (train, test)
    }()

    /// A place in an order that looks random and follows from the text alone (FNV-1a, finished as SplitMix64 does).
    private static func order(_ prompt: ShapesPrompt) -> UInt64 {
        SplitMix64.mix(SplitMix64.hash(prompt.text))
    }
}
