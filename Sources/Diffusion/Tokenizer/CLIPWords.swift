import Foundation

/// CLIP's cleaning and splitting of text, by Unicode scalars.
enum CLIPWords {
    /// NFC, runs of white space as one blank, lower case.
    static func normalized(_ text: String) -> String {
        let composed = text.precomposedStringWithCanonicalMapping.unicodeScalars
        // A string: its view of scalars copies all that it has when a sequence is added.
        var out = ""
        var inSpace = false
        for scalar in composed {
            if scalar.properties.isWhitespace {
                if !inSpace { out.append(" ") }
                inSpace = true
            } else {
                out += scalar.properties.lowercaseMapping
                inSpace = false
            }
        }
        return out
    }

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }

    /// A special token in capitals is not a special token, yet the expression cuts its lower-case form out of the
    /// punctuation around it, and the byte-level step then splits that into three.
    private static func spelledOutSpecial(_ rest: ArraySlice<Unicode.Scalar>) -> [String]? {
        for name in ["startoftext", "endoftext"] where rest.starts(with: "<|\(name)|>".unicodeScalars) {
            return ["<|", name, "|>"]
        }
        return nil
    }

    /// The pieces that CLIP's regular expression finds: contractions, runs of letters, single digits,
    /// runs of anything else that is not white space.
    static func split(_ text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        var words: [String] = []
        var at = 0
        while at < scalars.count {
            let rest = scalars[at...]
            if let pieces = spelledOutSpecial(rest) {
                words += pieces
                at += pieces.reduce(0) { $0 + $1.unicodeScalars.count }
                continue
            }
            let fixed = contractions.first { rest.starts(with: $0) }
            let length: Int
            if let fixed {
                length = fixed.count
            } else {
                switch kind(scalars[at]) {
                case .space:
                    at += 1
                    continue
                case .number: length = 1
                case .letter: length = rest.prefix { kind($0) == .letter }.count
                case .other: length = rest.prefix { kind($0) == .other }.count
                }
            }
            var word = String.UnicodeScalarView()
            word.append(contentsOf: scalars[at..<at + length])
            words.append(String(word))
            at += length
        }
        return words
    }

    private enum Kind { case space, letter, number, other }

    private static func kind(_ scalar: Unicode.Scalar) -> Kind {
        if scalar.properties.isWhitespace { return .space }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: return .other
        }
    }
}
