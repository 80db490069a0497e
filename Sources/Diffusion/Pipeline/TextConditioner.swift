package import Foundation
import Tensors

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

    /// Those of a model of which nothing else is loaded.
    ///
    /// - Throws: ``ModelError`` for a folder that is not a model, and files that are missing, damaged or do not fit.
    package init(
        folder: URL, variant: String? = nil, ignoring ignored: IgnoredFields = IgnoredFields()
    ) throws(ModelError) {
        let index = try ModelIndex(checking: folder, variant: variant)
        try self.init(
            index, folder: folder, variant: variant, folding: nil, lowMemory: false, precision: .float32,
            device: .cpu, ignoring: ignored)
    }

    /// - Parameter index: of the folder.
    init(
        _ index: ModelIndex, folder: URL, variant: String?, folding: (any WeightFolding)?, lowMemory: Bool,
        precision: Precision, device: Device, ignoring ignored: IgnoredFields
    ) throws(ModelError) {
        func encoder(_ component: ModelComponent, tokenizer: String) throws(ModelError) -> Encoder {
            let tokenizer = folder.appendingPathComponent(tokenizer)
            try checkTokenizer(tokenizer, ignoring: ignored)
            return Encoder(
                tokenizer: try CLIPTokenizer(folder: tokenizer),
                model: try CLIPTextEncoder(
                    component, folder: folder.appendingPathComponent(component.rawValue), variant: variant,
                    folding: folding, lowMemory: lowMemory, precision: precision, device: device,
                    ignoring: ignored))
        }
        first = try encoder(.textEncoder, tokenizer: "tokenizer")
        second = index.isXL ? try encoder(.textEncoder2, tokenizer: "tokenizer_2") : nil
        zerosForEmptyPrompt = index.zerosForEmptyPrompt
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

    /// How many of the last layers can be left out (``encode(_:skipping:)``).
    package var skippableLayers: Int {
        guard let second else { return first.model.configuration.numHiddenLayers }
        return min(first.model.configuration.numHiddenLayers, second.model.configuration.numHiddenLayers) - 1
    }

    /// - Parameters:
    ///   - prompts: the texts.
    ///   - skipping: layers that are left out before the one that a prompt is usually read from, as diffusers'
    ///     `clip_skip` has it; at most ``skippableLayers``. Pooled embeddings stay as they are.
    package func encode(_ prompts: [String], skipping: Int = 0) -> [PromptEmbedding] {
        guard !prompts.isEmpty else { return [] }
        precondition((0...skippableLayers).contains(skipping), "\(skipping) layers to skip of \(skippableLayers)")
        let encodings = prompts.map { first.tokenizer.encode($0) }
        guard let second else {
            let output = first.model(encodings.map(\.ids), skipping: skipping == 0 ? nil : skipping)
            let states = output.chosen.map(first.model.normalized) ?? output.lastHiddenState
            return prompts.indices.map { row in
                PromptEmbedding(tokens: slice(states, row), isTruncated: encodings[row].isTruncated)
            }
        }
        // SDXL reads both encoders before their last layer.
        let layers = skipping == 0 ? nil : skipping + 1
        let output = first.model(encodings.map(\.ids), skipping: layers)
        let output2 = second.model(prompts.map { second.tokenizer.encode($0).ids }, skipping: layers)
        let both = concatenateChannels(output.chosen ?? output.penultimate, output2.chosen ?? output2.penultimate)
        return prompts.indices.map { row in
            PromptEmbedding(
                tokens: slice(both, row), pooled: slice(output2.pooled, row), isTruncated: encodings[row].isTruncated)
        }
    }

    /// One vector of each prompt: what the (last) text encoder makes of the end of the text, projected where the encoder
    /// has a projection, as transformers' `pooler_output` and `text_embeds`. `[prompts, width]`, row by row.
    package func pooled(_ prompts: [String]) -> [[Float]] {
        guard !prompts.isEmpty else { return [] }
        let encoder = second ?? first
        let pooled = encoder.model(prompts.map { encoder.tokenizer.encode($0).ids }).pooled
        return prompts.indices.map { slice(pooled, $0).values }
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

/// Judges the fields of a tokenizer that its reader does not look at.
private func checkTokenizer(_ folder: URL, ignoring ignored: IgnoredFields) throws(ModelError) {
    let file = folder.appendingPathComponent("tokenizer_config.json")
    // It is optional, and what is wrong with its text is for the tokenizer's own reader to say.
    guard let data = try ModelFile.readIfPresent(file), let members = try? JSONValue.members(of: data) else { return }
    let fields = ignored.strip(members, part: folder.lastPathComponent, .clipTokenizer)
    if let problem = FieldRules.clipTokenizer.problem(fields) { throw ModelError(.unsupported, at: file.path, problem) }
}
