import CorpusStore
import Foundation
import Shapes

/// What kind of prompt each is, for results by category.
struct PromptCategories: Sendable {
    private var known: [ExactText: String] = [:]

    /// The categories of the shapes grammar, where all prompts are of it; else none.
    init(shapesOf prompts: [String]) {
        var found: [ExactText: String] = [:]
        for prompt in prompts {
            guard let category = ShapesPrompt(prompt)?.category else { return }
            found[ExactText(prompt)] = category.rawValue
        }
        known = found
    }

    /// What stands behind a tab in a prompt file; else those of the shapes grammar.
    init(file data: Data, prompts: [String]) {
        self.init(shapesOf: prompts)
        let wanted = Set(prompts.map { ExactText($0) })
        var named: [ExactText: String] = [:]
        for line in data.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            let fields = String(decoding: line, as: UTF8.self).split(separator: "\t", maxSplits: 2)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard fields.count > 1, !fields[1].isEmpty, wanted.contains(ExactText(fields[0])) else { continue }
            if named[ExactText(fields[0])] == nil { named[ExactText(fields[0])] = fields[1] }
        }
        if !named.isEmpty { known = named }
    }

    subscript(_ prompt: String) -> String? { known[ExactText(prompt)] }
}
