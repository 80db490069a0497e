import Foundation

/// What the files of a tokenizer folder say, read as transformers' CLIPTokenizer reads them.
///
/// Older folders have `vocab.json` and `merges.txt`, newer ones `tokenizer.json` alone. Where both are there and say
/// something else, `tokenizer.json` counts.
struct TokenizerFiles {
    /// The files that count, in the model's digest too.
    let names: [String]
    let vocabulary: [String: Int]
    let merges: BytePairMerges
    let special: SpecialTokens
    /// With their ids, the special ones too.
    let added: [(token: AddedToken, id: Int)]
    /// All ids that some file gives.
    let ids: [Int]

    init(_ folder: URL) throws(ModelError) {
        guard let files = try ModelFile.list(folder) else {
            throw ModelError(
                .missingFile, at: folder.path, "this folder is missing: is this a complete diffusers model folder?")
        }
        func url(_ name: String) -> URL { folder.appendingPathComponent(name) }
        let settings = try TokenizerSettings(folder)
        let fast = files.contains("tokenizer.json") ? try FastTokenizer(url("tokenizer.json")) : nil
        let hasPair = files.contains("vocab.json") || files.contains("merges.txt")
        let (words, pairs): ([String: Int], [[String]])
        var allIDs = fast.map { Array($0.vocabulary.values) } ?? []
        var counts = fast != nil && !hasPair
        if let fast, !hasPair {
            (words, pairs) = (fast.vocabulary, fast.merges)
        } else {
            let older = try readConfiguration([String: Int].self, url("vocab.json"), snakeCase: false)
            allIDs += older.values
            let olderPairs = try BytePairMerges.pairs(url("merges.txt"))
            counts = fast.map { $0.vocabulary != older || $0.merges != olderPairs } ?? false
            (words, pairs) = counts ? (fast?.vocabulary ?? older, fast?.merges ?? olderPairs) : (older, olderPairs)
        }
        guard allIDs.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
            throw ModelError(.malformedFile, at: folder.path, "the vocabulary has ids below zero or beyond 2³¹")
        }
        special = SpecialTokens(settings, fast)
        let resolver = AddedTokenResolver(folder: folder, vocabulary: words, settings: settings, special: special)
        let tokens = try resolver.resolved(fast)
        // Beside the older files it counts only where it says something else: the digests of such folders stay.
        counts = counts || (!settings.hasDecoder && fast?.added.contains { words[$0.token.content] == nil } ?? false)
        (vocabulary, merges, added) = (words, BytePairMerges(pairs), tokens)
        ids = allIDs + tokens.map(\.id)
        let known = [
            "added_tokens.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json",
        ]
        names = (known + (counts ? ["tokenizer.json"] : [])).filter(files.contains)
    }
}

/// `tokenizer.json`, as far as CLIP's tokenizer goes by it.
struct FastTokenizer {
    let vocabulary: [String: Int]
    /// The two halves of each merge, the strongest first.
    let merges: [[String]]
    let added: [(token: AddedToken, id: Int)]
    let padding: String?

    init(_ url: URL) throws(ModelError) {
        func malformed(_ what: String) -> ModelError { ModelError(.malformedFile, at: url.path, what) }
        let object = try ModelFile.readObject(url)
        guard let model = object["model"] as? [String: Any] else { throw malformed("has no 'model' with a vocabulary") }
        let type = model["type"] as? String ?? "BPE"
        guard type == "BPE", model["end_of_word_suffix"] as? String ?? "</w>" == "</w>" else {
            throw ModelError(
                .unsupported, at: url.path, "is a tokenizer of the type \(type), not CLIP's: it is not supported")
        }
        guard let vocabulary = model["vocab"] as? [String: Int] else {
            throw malformed("has no 'vocab' of tokens and their ids")
        }
        var merges: [[String]] = []
        for entry in model["merges"] as? [Any] ?? [] {
            let halves = entry as? [String] ?? (entry as? String)?.split(separator: " ").map(String.init) ?? []
            guard halves.count == 2 else { throw malformed("has the merge '\(entry)', which is not a merge of two") }
            merges.append(halves)
        }
        guard !merges.isEmpty else { throw malformed("has no 'merges'") }
        var added: [(token: AddedToken, id: Int)] = []
        for entry in object["added_tokens"] as? [Any] ?? [] {
            guard let fields = entry as? [String: Any], let id = fields["id"] as? Int,
                let token = AddedToken(fields, isNormalized: true)
            else { throw malformed("has an added token without a 'content' and an 'id'") }
            added.append((token, id))
        }
        (self.vocabulary, self.merges, self.added) = (vocabulary, merges, added)
        padding = (object["padding"] as? [String: Any])?["pad_token"] as? String
    }
}

extension AddedToken {
    /// As JSON files describe it; nil without a text.
    ///
    /// - Parameter isNormalized: where nothing is said.
    init?(_ fields: [String: Any], isNormalized: Bool) {
        guard let content = fields["content"] as? String else { return nil }
        self.init(
            content: content, isNormalized: fields["normalized"] as? Bool ?? isNormalized,
            isSingleWord: fields["single_word"] as? Bool ?? false)
    }
}

/// Puts the added tokens of all files together and numbers them, as transformers does: a later mention of a text replaces an
/// earlier one's properties, and what is not in the vocabulary follows it.
private struct AddedTokenResolver {
    let folder: URL
    let vocabulary: [String: Int]
    let settings: TokenizerSettings
    let special: SpecialTokens

    func resolved(_ fast: FastTokenizer?) throws(ModelError) -> [(token: AddedToken, id: Int)] {
        var declared = settings.added
        if !settings.hasDecoder, let fast { declared.merge(fast.added.map { ($0.id, $0.token) }) { _, new in new } }
        var result: [(token: AddedToken, id: Int)] = []
        func add(_ token: AddedToken, id declared: Int?) throws(ModelError) {
            guard !token.content.isEmpty else { return }
            if let same = result.firstIndex(where: { $0.token.spells(token) }) {
                result[same].token = token
                return
            }
            let id = vocabulary[token.content] ?? max(vocabulary.count, (result.map(\.id).max() ?? -1) + 1)
            if let declared, declared != id {
                throw ModelError(
                    .malformedFile, at: folder.path,
                    "the added token '\(token.content)' is given the id \(declared), where the vocabulary puts it at \(id)"
                )
            }
            result.append((token, id))
        }
        for (id, token) in declared.sorted(by: { $0.key < $1.key }) { try add(token, id: id) }
        let given = result
        for token in special.tokens + settings.extra {
            guard !given.contains(where: { $0.token.spells(token) }) else { continue }
            guard vocabulary[token.content] != nil || settings.extra.contains(where: { $0.spells(token) }) else {
                throw ModelError(
                    .malformedFile, at: folder.path,
                    "the vocabulary lacks the special token '\(token.content)'")
            }
            try add(token, id: nil)
        }
        return result
    }
}
