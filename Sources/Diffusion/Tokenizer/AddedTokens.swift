/// A token that stands for itself where a text spells it out: the special ones, and words that were taught later, as
/// textual inversion does.
struct AddedToken: Sendable {
    let content: String
    /// Whether it is looked for in the cleaned, lower-case text instead of the text as it was given.
    var isNormalized = false
    /// Whether it must not touch other letters or digits.
    var isSingleWord = false

    /// Whether it is the same text: Swift calls texts equal that differ in their scalars.
    func spells(_ other: AddedToken) -> Bool { content.unicodeScalars.elementsEqual(other.content.unicodeScalars) }
}

/// Added tokens with their ids, and the search for them: the longest that fits at the earliest place, first those that stand
/// in the text as given, then, between these, the others in its cleaned form (the rule of Hugging Face's tokenizers).
struct AddedTokens: Sendable {
    private struct Entry: Sendable {
        let scalars: [Unicode.Scalar]
        let id: Int
        let isSingleWord: Bool
    }

    /// A piece of a text: a token, or what is to be split into words.
    enum Piece {
        case token(Int)
        /// Cleaned text.
        case text(String)
    }

    /// By their first scalar, longest first.
    private let raw, normalized: [Unicode.Scalar: [Entry]]

    init(_ tokens: [(token: AddedToken, id: Int)]) {
        func table(_ tokens: [(token: AddedToken, id: Int)], _ clean: (String) -> String) -> [Unicode.Scalar: [Entry]] {
            let entries = tokens.map { token, id in
                Entry(scalars: Array(clean(token.content).unicodeScalars), id: id, isSingleWord: token.isSingleWord)
            }
            return Dictionary(grouping: entries.filter { !$0.scalars.isEmpty }) { $0.scalars[0] }
                .mapValues { $0.sorted { $0.scalars.count > $1.scalars.count } }
        }
        raw = table(tokens.filter { !$0.token.isNormalized }) { $0 }
        normalized = table(tokens.filter(\.token.isNormalized), CLIPWords.normalized)
    }

    func split(_ text: String) -> [Piece] {
        Self.split(Array(text.unicodeScalars), raw).flatMap { piece -> [Piece] in
            guard case .text(let text) = piece else { return [piece] }
            let clean = CLIPWords.normalized(text)
            return normalized.isEmpty ? [.text(clean)] : Self.split(Array(clean.unicodeScalars), normalized)
        }
    }

    private static func split(_ scalars: [Unicode.Scalar], _ table: [Unicode.Scalar: [Entry]]) -> [Piece] {
        var pieces: [Piece] = []
        var plain = String.UnicodeScalarView()
        func endPlain() {
            if !plain.isEmpty { pieces.append(.text(String(plain))) }
            plain = String.UnicodeScalarView()
        }
        var at = 0
        while at < scalars.count {
            guard let found = table[scalars[at]]?.first(where: { scalars[at...].starts(with: $0.scalars) }) else {
                plain.append(scalars[at])
                at += 1
                continue
            }
            let end = at + found.scalars.count
            let touches = (at > 0 && isWord(scalars[at - 1])) || (end < scalars.count && isWord(scalars[end]))
            if found.isSingleWord, touches {
                plain.append(contentsOf: found.scalars)
            } else {
                endPlain()
                pieces.append(.token(found.id))
            }
            at = end
        }
        endPlain()
        return pieces
    }

    /// What regular expressions write as \w.
    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.isAlphabetic || scalar.properties.isJoinControl { return true }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }
}
