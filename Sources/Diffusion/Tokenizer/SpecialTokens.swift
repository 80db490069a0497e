import Foundation

/// `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` of a tokenizer folder; all are optional.
struct TokenizerSettings {
    /// Where the first two disagree, as they may on the padding token, the map counts, unless the configuration lists its
    /// added tokens: then transformers does not look at the map.
    let fields: [String: Any]
    /// Whether `tokenizer_config.json` lists the added tokens, so that no other file does.
    let hasDecoder: Bool
    /// By id, from `added_tokens_decoder` or `added_tokens.json`.
    let added: [Int: AddedToken]
    /// Special tokens without a part of their own.
    let extra: [AddedToken]

    init(_ folder: URL) throws(ModelError) {
        func object(_ name: String) throws(ModelError) -> [String: Any]? {
            try ModelFile.readObjectIfPresent(folder.appendingPathComponent(name))
        }
        var fields = try object("tokenizer_config.json") ?? [:]
        var added: [Int: AddedToken] = [:]
        let decoder = fields["added_tokens_decoder"] as? [String: Any]
        hasDecoder = decoder != nil
        for (key, value) in decoder ?? [:] {
            guard let id = Int(key),
                let token = (value as? [String: Any]).flatMap({ AddedToken($0, isNormalized: true) })
            else {
                throw ModelError(
                    .malformedFile, at: folder.appendingPathComponent("tokenizer_config.json").path,
                    "has an entry '\(key)' in added_tokens_decoder that is not a token")
            }
            added[id] = token
        }
        if decoder == nil, let map = try object("special_tokens_map.json") { fields.merge(map) { _, new in new } }
        self.fields = fields
        let more = fields["additional_special_tokens"] ?? fields["extra_special_tokens"]
        extra = (more as? [Any] ?? []).compactMap(Self.token)
        if decoder == nil, let list = try object("added_tokens.json") {
            let names = ["bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token"]
            let special = names.compactMap { fields[$0].flatMap(Self.token) } + extra
            for (content, value) in list {
                guard let id = value as? Int, id >= 0 else {
                    throw ModelError(
                        .malformedFile, at: folder.appendingPathComponent("added_tokens.json").path,
                        "gives the token '\(content)' no id")
                }
                added[id] = AddedToken(
                    content: content, isNormalized: !special.contains { $0.content == content })
            }
        }
        self.added = added
    }

    /// A special token, as its text or with its properties.
    static func token(_ value: Any) -> AddedToken? {
        if let content = value as? String { return AddedToken(content: content) }
        return (value as? [String: Any]).flatMap { AddedToken($0, isNormalized: true) }
    }
}

/// The special tokens that a tokenizer folder names, and how long its sequences are.
struct SpecialTokens {
    let start, end, padding, unknown: AddedToken
    let maximumLength: Int

    init(_ settings: TokenizerSettings, _ fast: FastTokenizer?) {
        func token(_ key: String) -> AddedToken? { settings.fields[key].flatMap(TokenizerSettings.token) }
        let usual = AddedToken(content: "<|endoftext|>")
        start = token("bos_token") ?? AddedToken(content: "<|startoftext|>")
        end = token("eos_token") ?? usual
        padding = token("pad_token") ?? fast?.padding.map { AddedToken(content: $0) } ?? end
        unknown = token("unk_token") ?? end
        // Some files give 10³⁰ for "no limit".
        let length = settings.fields["model_max_length"] as? Int
        maximumLength = length.flatMap { (3...100_000).contains($0) ? $0 : nil } ?? 77
    }

    /// In transformers' order, in which a later mention of a text replaces an earlier one.
    var tokens: [AddedToken] { [start, end, unknown, padding] }
}
