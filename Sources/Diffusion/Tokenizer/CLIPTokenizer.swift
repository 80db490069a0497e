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
    }

    package func encode(_ text: String) -> Encoding {
        var ids: [Int] = []
        for word in CLIPWords.split(CLIPWords.normalized(text)) {
            if word == "<|startoftext|>" || word == "<|endoftext|>" {
                ids.append(vocabulary[word] ?? unknown)
                continue
            }
            for token in merges.apply(ByteAlphabet.spell(word)) { ids.append(vocabulary[token] ?? unknown) }
        }
        let room = maximumLength - 2
        let kept = [start] + ids.prefix(room) + [end]
        return Encoding(
            ids: kept + Array(repeating: padding, count: maximumLength - kept.count), isTruncated: ids.count > room)
    }
}

/// Special tokens and length, from whichever of the tokenizer's files name them.
private struct SpecialTokens {
    var start = "<|startoftext|>"
    var end = "<|endoftext|>"
    var padding: String
    var unknown: String
    var maximumLength = 77

    init(folder: URL) throws(ModelError) {
        var fields: [String: Any] = [:]
        for name in ["special_tokens_map.json", "tokenizer_config.json"] {
            let url = folder.appendingPathComponent(name)
            guard let data = try? Data(contentsOf: url) else { continue }
            guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
                throw ModelError(.malformedFile, at: url.path, "is not a JSON object")
            }
            fields.merge(object) { _, new in new }
        }
        func token(_ key: String) -> String? {
            fields[key] as? String ?? (fields[key] as? [String: Any])?["content"] as? String
        }
        start = token("bos_token") ?? start
        end = token("eos_token") ?? end
        padding = token("pad_token") ?? end
        unknown = token("unk_token") ?? end
        if let length = fields["model_max_length"] as? Int, (3...100_000).contains(length) { maximumLength = length }
    }
}
