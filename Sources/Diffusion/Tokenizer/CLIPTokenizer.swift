package import Foundation

/// CLIP's byte-pair tokenizer: lower-cased text to ids of a fixed length.
package struct CLIPTokenizer: Sendable {
    /// Ids of one text, padded or cut to the model's length.
    package struct Encoding: Sendable, Equatable {
        package let ids: [Int]
        /// Whether the text was too long and its end was cut off.
        package let isTruncated: Bool
    }

    package let maximumLength: Int
    private let vocabulary: [String: Int]
    private let merges: BytePairMerges
    private let start, end, padding, unknown: Int
    /// Tokens that stand for themselves where a text spells them out, the padding token too; longest first.
    private let specials: [(text: [Unicode.Scalar], id: Int)]

    /// Reads vocab.json, merges.txt and the special tokens of a tokenizer folder.
    package init(folder: URL) throws(ModelError) {
        vocabulary = try readConfiguration(
            [String: Int].self, folder.appendingPathComponent("vocab.json"), snakeCase: false)
        merges = try BytePairMerges(folder.appendingPathComponent("merges.txt"))
        let special = try SpecialTokens(folder: folder)
        maximumLength = special.maximumLength
        let vocabulary = vocabulary
        func id(_ token: String) throws(ModelError) -> Int {
            guard let id = vocabulary[token] else {
                throw ModelError(.malformedFile, at: folder.path, "the vocabulary lacks the special token '\(token)'")
            }
            return id
        }
        start = try id(special.start)
        end = try id(special.end)
        padding = try id(special.padding)
        unknown = try id(special.unknown)
        var specials: [(text: [Unicode.Scalar], id: Int)] = []
        for token in Set([special.start, special.end, special.padding, special.unknown]) where !token.isEmpty {
            specials.append((Array(token.unicodeScalars), try id(token)))
        }
        self.specials = specials.sorted { $0.text.count > $1.text.count }
    }

    /// An id that a text encoder with this many embeddings does not know, if there is one.
    func strayID(vocabularySize: Int) -> Int? {
        vocabulary.values.filter { !(0..<max(vocabularySize, 0)).contains($0) }.max()
    }

    package func encode(_ text: String) -> Encoding {
        let ids = tokens(text)
        let room = maximumLength - 2
        let kept = [start] + ids.prefix(room) + [end]
        return Encoding(
            ids: kept + Array(repeating: padding, count: maximumLength - kept.count), isTruncated: ids.count > room)
    }

    /// The ids of the text alone.
    private func tokens(_ text: String) -> [Int] {
        let scalars = Array(text.unicodeScalars)
        var ids: [Int] = []
        var plain = String.UnicodeScalarView()
        func encodePlain() {
            for word in CLIPWords.split(CLIPWords.normalized(String(plain))) {
                ids += merges.apply(ByteAlphabet.spell(word)).map { vocabulary[$0] ?? unknown }
            }
            plain = String.UnicodeScalarView()
        }
        var at = 0
        while at < scalars.count {
            if let special = specials.first(where: { scalars[at...].starts(with: $0.text) }) {
                encodePlain()
                ids.append(special.id)
                at += special.text.count
            } else {
                plain.append(scalars[at])
                at += 1
            }
        }
        encodePlain()
        return ids
    }
}
