/// A prompt as words and what stands between them.
struct PromptWords: Hashable {
    struct Word: Hashable {
        var text: String
        /// What follows it: spaces and punctuation.
        var gap: String

        var lower: String { text.lowercased() }
        /// Whether a phrase ends here.
        var endsPhrase: Bool { gap.contains { !$0.isWhitespace } }
    }

    /// What stands before the first word.
    private let head: String
    var words: [Word]

    init(_ text: String) {
        var (head, words): (String, [Word]) = ("", [])
        for character in text {
            let isPart = character.isLetter || character.isNumber || character == "'" || character == "-"
            if isPart, let last = words.last, last.gap.isEmpty {
                words[words.count - 1].text.append(character)
            } else if isPart {
                words.append(Word(text: String(character), gap: ""))
            } else if words.isEmpty {
                head.append(character)
            } else {
                words[words.count - 1].gap.append(character)
            }
        }
        (self.head, self.words) = (head, words)
    }

    var text: String { head + words.map { $0.text + $0.gap }.joined() }

    /// The prompt with some words replaced by others, in the case of the first, and with the articles that these want.
    func replacing(_ edits: [(range: Range<Int>, text: String)]) -> PromptWords {
        var copy = self
        for (range, text) in edits.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
            let isCapital = words[range.lowerBound].text.first?.isUppercase == true
            var parts = text.split(separator: " ").map { Word(text: String($0), gap: " ") }
            guard !parts.isEmpty else { continue }
            if isCapital { parts[0].text = parts[0].text.prefix(1).uppercased() + parts[0].text.dropFirst() }
            parts[parts.count - 1].gap = words[range.upperBound - 1].gap
            copy.words.replaceSubrange(range, with: parts)
        }
        copy.fixArticles()
        return copy
    }

    private mutating func fixArticles() {
        for index in words.indices.dropLast()
        where ["a", "an"].contains(words[index].lower) && !words[index].endsPhrase {
            let article = Inflection.article(before: words[index + 1].text)
            guard article != words[index].lower else { continue }
            words[index].text =
                words[index].text.first == "A" ? article.prefix(1).uppercased() + article.dropFirst() : article
        }
    }

    /// The same for prompts that say the same of their parts in another order: "a cat and a dog", "a dog and a cat".
    var meaning: [String] {
        var parts: [String] = [""]
        for word in words {
            if word.lower == "and" {
                parts.append("")
            } else if !["a", "an"].contains(word.lower) {
                parts[parts.count - 1] += word.lower + " "
                if word.endsPhrase { parts.append("") }
            }
        }
        return parts.filter { !$0.isEmpty }.sorted()
    }
}
