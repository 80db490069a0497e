package import CorpusStore
import Diffusion
package import Foundation

/// What `attune features --text` does: the vector of each sample's prompt, by the text encoder of a model.
package struct PromptFeatureJob: Sendable {
    /// A model's folder in the diffusers layout.
    package let model: URL
    /// Which copy of the weights; nil for the plain one, or the only one there.
    package var variant: String?
    /// Fields of the encoder's files that are left out.
    package var ignoredFields: [String] = []
    /// Prompts that are encoded together.
    package var batch = 16
    /// Whether each vector is scaled to length 1.
    package var isNormalized = false

    package init(model: URL) { self.model = model }

    /// Writes a .npz file as ``FeatureJob`` does, with the samples' ids; its encoder is `prompt_text`. It appears whole or not at
    /// all.
    ///
    /// - Returns: how many samples; nil if it was stopped, and nothing was written.
    /// - Throws: ``ModelError``; ``Failure`` where no sample fits.
    package func run(
        over corpus: Corpus, selection: String?, condition: String?, to file: URL, monitor: some WorkMonitor
    ) throws -> Int? {
        guard case .samples(_, let rows) = try ImageSupply(corpus: corpus, selection: selection, condition: condition)
        else { return nil }
        let encoder = try TextConditioner(folder: model, variant: variant, ignoring: IgnoredFields(ignoredFields))
        // Samples of one prompt have one vector.
        var places: [ExactText: Int] = [:]
        var prompts: [String] = []
        for row in rows where places[ExactText(row.prompt)] == nil {
            places[ExactText(row.prompt)] = prompts.count
            prompts.append(row.prompt)
        }
        monitor.begin(total: prompts.count)
        var vectors: [[Float]] = []
        for start in stride(from: 0, to: prompts.count, by: batch) {
            if monitor.isCancelled { return nil }
            vectors += encoder.pooled(Array(prompts[start..<min(start + batch, prompts.count)]))
            monitor.update(vectors.count)
        }
        let width = vectors.first?.count ?? 0
        var values: [Float] = []
        values.reserveCapacity(rows.count * width)
        for row in rows { if let place = places[ExactText(row.prompt)] { values += vectors[place] } }
        let digest = try ModelDigest.compute(folder: model, variant: variant)
        let table = FeatureTable(
            values: values, width: width, names: rows.map(\.id.hex), nameKey: "ids", encoder: "prompt_text \(digest)",
            source: "the corpus's prompts")
        try (isNormalized ? table.normalized : table).write(to: file)
        return table.count
    }
}
