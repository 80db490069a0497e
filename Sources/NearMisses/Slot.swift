/// A word of a prompt that has alternatives.
struct Slot {
    let range: Range<Int>
    let entry: Vocabulary.Entry
    /// Of nouns.
    let isPlural: Bool
    /// Of numbers: whether it is written as one, 1 to 10.
    let isDigit: Bool

    /// How an entry of the same kind is written in its place.
    func text(of other: Vocabulary.Entry) -> String {
        if isDigit { return String(other.index + 1) }
        return isPlural ? Inflection.plural(other.spellings[0]) : other.spellings[0]
    }

    /// All slots of a prompt, in order; of two readings the longer counts.
    static func all(in prompt: PromptWords) -> [Slot] {
        var (slots, place): ([Slot], Int) = ([], 0)
        while place < prompt.words.count {
            let longest = min(Vocabulary.longest, prompt.words.count - place)
            let found = stride(from: longest, to: 0, by: -1).lazy.compactMap { slot(prompt, place..<place + $0) }.first
            if let found { slots.append(found) }
            place = found?.range.upperBound ?? place + 1
        }
        return slots
    }

    private static func slot(_ prompt: PromptWords, _ range: Range<Int>) -> Slot? {
        let words = prompt.words
        // Punctuation within a phrase ends it.
        guard !words[range].dropLast().contains(where: \.endsPhrase) else { return nil }
        if range.count == 1, let number = Int(words[range.lowerBound].text), let all = Vocabulary.entries[.number],
            all.indices.contains(number - 1)
        {
            let isCounting = range.upperBound < words.count && !words[range.lowerBound].endsPhrase
            return isCounting ? Slot(range: range, entry: all[number - 1], isPlural: false, isDigit: true) : nil
        }
        let text = words[range].map(\.lower).joined(separator: " ")
        guard let (entry, isPlural) = Vocabulary.meanings[text], fits(entry, range, words) else { return nil }
        return Slot(range: range, entry: entry, isPlural: isPlural, isDigit: false)
    }

    /// Whether a word is used as its kind is: "orange" is a color before a noun, and "one" a number.
    private static func fits(_ entry: Vocabulary.Entry, _ range: Range<Int>, _ words: [PromptWords.Word]) -> Bool {
        let last = words[range.upperBound - 1]
        let next = range.upperBound < words.count && !last.endsPhrase ? words[range.upperBound].lower : nil
        let previous =
            range.lowerBound > 0 && !words[range.lowerBound - 1].endsPhrase ? words[range.lowerBound - 1].lower : nil
        switch entry.kind {
        case .color where ["orange", "silver"].contains(last.lower):
            return next.map { !Vocabulary.stops.contains($0) } ?? false
        case .material, .size, .age, .pattern:
            return next.map { !Vocabulary.stops.contains($0) } ?? false
        case .number:
            guard let next, !Vocabulary.stops.contains(next) else { return false }
            return previous.map { !Vocabulary.determiners.contains($0) || $0 == "the" } ?? true
        case .shape:
            // "to cross", "star in": a shape has a word before it that begins a noun phrase.
            guard let previous else { return false }
            return Vocabulary.determiners.contains(previous) || Vocabulary.meanings[previous] != nil
                || Int(previous) != nil
        case .relation: return next != nil
        default: return true
        }
    }
}
