import Randomness

/// Prompts that differ from a prompt in one thing, made by rules on its words.
///
/// Attributes change places between objects, a relation is turned around, and a color, shape, number, relation, size,
/// material, animal and so on is replaced by another. The same prompt and seed give the same near misses.
///
/// ```swift
/// NearMissRules().negatives(of: "a red circle and a blue square", count: 1)
/// // ["a blue circle and a red square"]
/// ```
package struct NearMissRules: Sendable {
    package let seed: Int

    package init(seed: Int = 0) { self.seed = seed }

    /// - Parameters:
    ///   - prompt: any text; English is understood.
    ///   - count: at most so many. The first ones are those that a model confuses most: exchanged and opposite ones.
    /// - Returns: distinct prompts that mean something else; none for a prompt without a word that the rules know.
    package func negatives(of prompt: String, count: Int) -> [String] {
        let words = PromptWords(prompt)
        let slots = Slot.all(in: words)
        var kept: [String] = []
        var seen: Set<[String]> = [words.meaning]
        for candidate in exchanges(words, slots) + replacements(words, slots, prompt) {
            guard kept.count < count else { break }
            if seen.insert(candidate.meaning).inserted { kept.append(candidate.text) }
        }
        return kept
    }

    /// Words of one kind change places: "a red circle and a blue square" becomes "a blue circle and a red square".
    private func exchanges(_ words: PromptWords, _ slots: [Slot]) -> [PromptWords] {
        var made: [PromptWords] = []
        for (place, first) in slots.enumerated() {
            for second in slots[(place + 1)...]
            where second.entry.kind == first.entry.kind && second.entry.index != first.entry.index
                && first.entry.kind != .relation
            {
                made.append(
                    words.replacing([
                        (first.range, first.text(of: second.entry)), (second.range, second.text(of: first.entry)),
                    ]))
            }
        }
        return made
    }

    /// One word is replaced: each slot's first choice, then each slot's second, and so on.
    private func replacements(_ words: PromptWords, _ slots: [Slot], _ prompt: String) -> [PromptWords] {
        var generator = SplitMix64(
            seed: SplitMix64.hash(prompt) ^ UInt64(bitPattern: Int64(seed)) &* 0x9e37_79b9_7f4a_7c15)
        let present = Set(slots.map { Choice($0.entry) })
        let choices = slots.map { slot -> [Vocabulary.Entry] in
            let all = Vocabulary.alternatives(to: slot.entry)
            if slot.entry.kind == .number {
                // The nearest numbers first: they are what is confused.
                return all.sorted {
                    (abs($0.index - slot.entry.index), $0.index) < (abs($1.index - slot.entry.index), $1.index)
                }
            }
            let opposites = all.prefix { slot.entry.opposites.contains($0.index) }
            let rest = generator.shuffled(common(Array(all.dropFirst(opposites.count)), slot.entry))
            // What the prompt has already would be two alike, which a model may not know how to draw.
            return opposites + rest.filter { !present.contains(Choice($0)) }
                + rest.filter { present.contains(Choice($0)) }
        }
        var made: [PromptWords] = []
        for round in 0..<(choices.map(\.count).max() ?? 0) {
            for (slot, entries) in generator.shuffled(Array(zip(slots, choices))) where round < entries.count {
                made.append(replace(slot, by: entries[round], in: words))
            }
        }
        return made
    }

    /// The common words of a list come first in it; a rare one is replaced by any, a common one by common ones.
    private func common(_ entries: [Vocabulary.Entry], _ entry: Vocabulary.Entry) -> [Vocabulary.Entry] {
        let limit: Int
        switch entry.kind {
        case .color: limit = 8
        case .shape: limit = 6
        default: return entries
        }
        return entry.index < limit ? entries.filter { $0.index < limit } : entries
    }

    private func replace(_ slot: Slot, by entry: Vocabulary.Entry, in words: PromptWords) -> PromptWords {
        var edits = [(range: slot.range, text: slot.text(of: entry))]
        if slot.entry.kind == .number { edits += inflections(slot, by: entry, in: words) }
        return words.replacing(edits)
    }

    /// What else changes where one thing becomes many, or many one: the noun, and a verb right behind it.
    private func inflections(
        _ slot: Slot, by entry: Vocabulary.Entry, in prompt: PromptWords
    ) -> [(range: Range<Int>, text: String)] {
        let (was, becomes) = (slot.entry.index > 0, entry.index > 0)
        guard was != becomes else { return [] }
        var noun = slot.range.upperBound
        while noun < prompt.words.count - 1, !prompt.words[noun].endsPhrase,
            !Vocabulary.stops.contains(prompt.words[noun + 1].lower)
        {
            noun += 1
        }
        guard noun < prompt.words.count else { return [] }
        let word = prompt.words[noun].lower
        let other = becomes ? Inflection.plural(word) : Inflection.singular(word)
        var edits: [(range: Range<Int>, text: String)] = []
        if let other { edits.append((noun..<noun + 1, other)) }
        if noun + 1 < prompt.words.count, !prompt.words[noun].endsPhrase,
            let verb = Inflection.verb(prompt.words[noun + 1].lower, isPlural: becomes)
        {
            edits.append((noun + 1..<noun + 2, verb))
        }
        return edits
    }

    private struct Choice: Hashable {
        let kind: Vocabulary.Kind
        let index: Int

        init(_ entry: Vocabulary.Entry) { (kind, index) = (entry.kind, entry.index) }
    }
}
