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
    private let added: AddedTokens
    private let largestID: Int

    /// Reads a tokenizer folder, old or new; see `TokenizerFiles`.
    package init(folder: URL) throws(ModelError) {
        let files = try TokenizerFiles(folder)
        (vocabulary, merges) = (files.vocabulary, files.merges)
        let special = files.special
        maximumLength = special.maximumLength
        func id(_ token: AddedToken) throws(ModelError) -> Int {
            if let found = files.added.first(where: { $0.token.content == token.content }) { return found.id }
            throw ModelError(
                .malformedFile, at: folder.path, "the vocabulary lacks the special token '\(token.content)'")
        }
        start = try id(special.start)
        end = try id(special.end)
        padding = try id(special.padding)
        unknown = try id(special.unknown)
        added = AddedTokens(files.added)
        largestID = files.ids.max() ?? 0
    }

    /// An id that a text encoder with this many embeddings does not know, if there is one.
    func strayID(vocabularySize: Int) -> Int? { largestID < vocabularySize ? nil : largestID }

    package func encode(_ text: String) -> Encoding {
        let ids = tokens(text)
        let limit = maximumLength - 2
        let kept = [start] + ids.prefix(limit) + [end]
        return Encoding(
            ids: kept + Array(repeating: padding, count: maximumLength - kept.count), isTruncated: ids.count > limit)
    }

    /// The ids of the text alone.
    private func tokens(_ text: String) -> [Int] {
        var ids: [Int] = []
        for piece in added.split(text) {
            switch piece {
            case .token(let id): ids.append(id)
            case .text(let text):
                for word in CLIPWords.split(text) {
                    ids += merges.apply(ByteAlphabet.spell(word)).map { vocabulary[$0] ?? unknown }
                }
            }
        }
        return ids
    }
}
