import Foundation

/// The special tokens that a tokenizer folder names, and how long its sequences are.
struct SpecialTokens {
    var start = "<|startoftext|>"
    var end = "<|endoftext|>"
    var padding: String
    var unknown: String
    var maximumLength = 77

    /// tokenizer_config.json, then special_tokens_map.json over it, as transformers reads them: where the two disagree,
    /// as they may on the padding token, the map counts. Both are optional.
    init(folder: URL) throws(ModelError) {
        var fields: [String: Any] = [:]
        for name in ["tokenizer_config.json", "special_tokens_map.json"] {
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
        // Some files give 10³⁰ for "no limit".
        if let length = fields["model_max_length"] as? Int, (3...100_000).contains(length) { maximumLength = length }
    }
}
