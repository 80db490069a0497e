package import Foundation
import Tensor

/// Tokenizers and text encoders of a model, and its rule for the empty prompt.
package struct TextConditioner: Sendable {
    private struct Encoder: Sendable {
        let tokenizer: CLIPTokenizer
        let model: CLIPTextEncoder
    }

    private let first: Encoder
    /// Present in SDXL.
    private let second: Encoder?
    private let zerosForEmptyPrompt: Bool

    package init(
        folder: URL, variant: String? = nil, folding: (any WeightFolding)? = nil, lowMemory: Bool = false
    ) throws(ModelError) {
        try ModelLayout.check(folder, variant: variant)
        func encoder(_ component: ModelComponent, tokenizer: String) throws(ModelError) -> Encoder {
            Encoder(
                tokenizer: try CLIPTokenizer(folder: folder.appendingPathComponent(tokenizer)),
                model: try CLIPTextEncoder(
                    component, folder: folder.appendingPathComponent(component.rawValue), variant: variant,
                    folding: folding, lowMemory: lowMemory))
        }
        first = try encoder(.textEncoder, tokenizer: "tokenizer")
        let hasSecond = try ModelLayout.has(.textEncoder2, folder)
        second = hasSecond ? try encoder(.textEncoder2, tokenizer: "tokenizer_2") : nil
        struct Index: Decodable { var force_zeros_for_empty_prompt: Bool? }
        let index = try readConfiguration(
            Index.self, folder.appendingPathComponent("model_index.json"), snakeCase: false)
        zerosForEmptyPrompt = hasSecond && index.force_zeros_for_empty_prompt ?? true
        for part in [first, second].compactMap({ $0 }) {
            let size = part.model.configuration.vocabSize
            if let id = part.tokenizer.strayID(vocabularySize: size) {
                throw ModelError(
                    .wrongShape, at: folder.path,
                    "the tokenizer's id \(id) is outside the text encoder's vocab_size of \(size)")
            }
        }
        for part in [first, second].compactMap({ $0 })
        where part.tokenizer.maximumLength > part.model.configuration.maxPositionEmbeddings {
            throw ModelError(
                .wrongShape, at: folder.path,
                "the tokenizer's model_max_length \(part.tokenizer.maximumLength) exceeds the text encoder's "
                    + "\(part.model.configuration.maxPositionEmbeddings) positions")
        }
    }

    package func encode(_ prompts: [String]) -> [PromptEmbedding] {
        guard !prompts.isEmpty else { return [] }
        let encodings = prompts.map { first.tokenizer.encode($0) }
        let output = first.model(encodings.map(\.ids))
        guard let second else {
            return prompts.indices.map { row in
                PromptEmbedding(
                    tokens: slice(output.lastHiddenState, row), isTruncated: encodings[row].isTruncated)
            }
        }
        let output2 = second.model(prompts.map { second.tokenizer.encode($0).ids })
        let both = concatenateChannels(output.penultimate, output2.penultimate)
        return prompts.indices.map { row in
            PromptEmbedding(
                tokens: slice(both, row), pooled: slice(output2.pooled, row), isTruncated: encodings[row].isTruncated)
        }
    }

    var emptyPrompt: PromptEmbedding {
        let encoded = encode([""])[0]
        guard zerosForEmptyPrompt else { return encoded }
        return PromptEmbedding(
            tokens: Tensor(zeros: encoded.tokens.shape), pooled: encoded.pooled.map { Tensor(zeros: $0.shape) })
    }

    private func slice(_ batch: Tensor, _ row: Int) -> Tensor {
        batch.batch(row..<row + 1).reshaped(Array(batch.shape.dropFirst()))
    }
}
