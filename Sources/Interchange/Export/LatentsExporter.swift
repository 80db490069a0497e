import CorpusStore
package import Diffusion
package import Foundation
import Tensors

/// Latents and prompt embeddings as safetensors, ready for a training loop that runs neither VAE nor text encoder.
///
/// `latents-000000.safetensors` and so on hold `latents` [n, C, h, w] (scaled), `prompt_embeds` [p, L, D] once for each
/// distinct prompt, `pooled_prompt_embeds` [p, D] where the model has them, and `prompt_index` [n] from samples to prompts;
/// `metadata.jsonl` tells which sample is where.
package struct LatentsExporter: Exporter {
    private let text: TextConditioner
    /// The model's digest: samples of others do not belong with its embeddings.
    private let model: String
    private let samples: Int
    /// Prompts that are encoded together.
    private static let group = 32

    /// - Parameters:
    ///   - folder: of the model whose text encoders make the prompt embeddings.
    ///   - variant: which copy of the weights.
    ///   - samples: samples per file.
    ///   - ignored: fields of the model's files that are taken as if they were not there.
    package init(
        model folder: URL, variant: String? = nil, samplesPerFile samples: Int = 1000,
        ignoring ignored: IgnoredFields = IgnoredFields()
    ) throws(ModelError) {
        text = try TextConditioner(folder: folder, variant: variant, ignoring: ignored)
        try ignored.requireUse()
        model = try ModelDigest.compute(folder: folder, variant: variant)
        self.samples = samples
    }

    package var identity: String { "latents of \(model), \(samples) samples" }

    package func writePart(
        _ part: Int, from start: Int, of source: any ExportSource, into folder: URL, report: (Int) -> Void
    ) throws -> Int {
        let range = start..<min(start + samples, source.count)
        let facts = try source.facts(range)
        let shape = try commonShape(facts, source)
        var latents: [Float] = []
        latents.reserveCapacity(range.count * shape.reduce(1, *))
        try source.forEachLatent(range) { latents += $0 }
        var (prompts, places) = ([String](), [ExactText: Int64]())
        let indices = facts.map { sample -> Int64 in
            if let place = places[ExactText(sample.prompt)] { return place }
            places[ExactText(sample.prompt)] = Int64(prompts.count)
            prompts.append(sample.prompt)
            return Int64(prompts.count - 1)
        }
        var tensors = embeddings(prompts)
        tensors["latents"] = Tensor(shape: [range.count] + shape, values: latents)
        let data = SafetensorsWriter.data(
            tensors, integers: ["prompt_index": indices], metadata: ["format": "attune-latents", "model": model])
        try NewFile(name: fileName(part), bytes: Array(data)).write(into: folder.path)
        report(range.upperBound)
        return range.upperBound
    }

    package func finish(_ source: any ExportSource, in folder: URL) throws {
        var lines = Data()
        for (part, start) in stride(from: 0, to: source.count, by: samples).enumerated() {
            for (row, sample) in try source.facts(start..<min(start + samples, source.count)).enumerated() {
                var members: [String: CanonicalJSON] = [
                    "file": .string(fileName(part)), "row": .integer(row), "id": .string(sample.id.hex),
                    "text": .string(sample.prompt), "mi": SampleFacts.json(sample.mi),
                ]
                let own = Set(members.keys)
                for name in source.scorers {
                    members[scorerColumn(name, apartFrom: own)] = SampleFacts.json(sample.annotations[name])
                }
                lines += CanonicalJSON.object(members).data
                lines.append(UInt8(ascii: "\n"))
            }
        }
        try NewFile(name: "metadata.jsonl", bytes: Array(lines)).write(into: folder.path)
    }

    private func fileName(_ part: Int) -> String { "latents-\(padded(part)).safetensors" }

    /// One shape for the whole export, so that any two files can be read as one.
    private func commonShape(_ facts: [SampleFacts], _ source: any ExportSource) throws -> [Int] {
        guard let first = try source.facts(0..<1).first else { return [] }
        for sample in facts {
            guard !sample.latentShape.isEmpty else { throw ExportError.noLatent(id: sample.id) }
            guard sample.latentShape == first.latentShape else {
                throw ExportError.mixedLatents(id: sample.id, shape: sample.latentShape, others: first.latentShape)
            }
            guard sample.model == model else { throw ExportError.otherModel(id: sample.id, model: sample.model) }
        }
        return first.latentShape
    }

    private func embeddings(_ prompts: [String]) -> [String: Tensor] {
        var all: [PromptEmbedding] = []
        for start in stride(from: 0, to: prompts.count, by: Self.group) {
            all += text.encode(Array(prompts[start..<min(start + Self.group, prompts.count)]))
        }
        func stacked(_ parts: [Tensor]) -> Tensor {
            Tensor(shape: [parts.count] + (parts.first?.shape ?? []), values: parts.flatMap(\.values))
        }
        var tensors = ["prompt_embeds": stacked(all.map(\.tokens))]
        let pooled = all.compactMap(\.pooled)
        if !pooled.isEmpty { tensors["pooled_prompt_embeds"] = stacked(pooled) }
        return tensors
    }
}
