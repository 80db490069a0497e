import Corpus
import Diffusion
import Tensor

/// Turns stream entries into microbatches: latents from the source, noise and timestep from the entry's own draws,
/// prompt embeddings computed or remembered.
final class BatchAssembler {
    private let model: DiffusionModel
    private let source: any TrainingSource
    private let draws: SampleDraws
    private var embeddings = PromptEmbeddings()

    init(model: DiffusionModel, source: any TrainingSource, seed: UInt64) {
        self.model = model
        self.source = source
        draws = SampleDraws(seed: seed)
    }

    func batch(_ entries: [StreamEntry]) throws(TrainingSourceError) -> TrainingBatch {
        let samples = try source.samples(entries.map(\.id))
        let shape = try commonShape(samples)
        let prompts = embeddings(samples.map(\.prompt)) { model.encode(prompts: [$0])[0] }
        var (texts, places): ([PromptEmbedding], [ExactText: Int]) = ([], [:])
        for (sample, prompt) in zip(samples, prompts) where places[ExactText(sample.prompt)] == nil {
            places[ExactText(sample.prompt)] = texts.count
            texts.append(prompt)
        }
        // Corpus and draws are channels-first, as in diffusers.
        let latents = samples.map { Tensor(shape: [1] + shape, values: $0.latent) }
        let noise = entries.map { draws.noise($0.index, shape: [1] + shape) }
        return TrainingBatch(
            latents: concatenateBatch(latents).channelsLast, noise: concatenateBatch(noise).channelsLast,
            timesteps: entries.map { draws.timestep($0.index, of: model.scheduler.trainTimesteps) },
            text: PromptEmbedding.batch(texts), prompts: samples.compactMap { places[ExactText($0.prompt)] },
            added: model.addedConditions(prompts, latents: Array(shape.dropFirst())),
            weights: weights(samples))
    }

    /// One weight for each sample, or none at all.
    private func weights(_ samples: [TrainingSample]) -> [Float]? {
        let weights = samples.compactMap(\.weight)
        return weights.count == samples.count ? weights : nil
    }

    /// All latents of a batch go through the UNet together, so they need one shape.
    private func commonShape(_ samples: [TrainingSample]) throws(TrainingSourceError) -> [Int] {
        guard let first = samples.first else { return [] }
        let channels = model.unet.configuration.inChannels
        guard first.shape.count == 3, first.shape[0] == channels, first.latent.count == first.shape.reduce(1, *) else {
            throw TrainingSourceError(
                "sample \(first.id) has a latent of \(first.shape), the model takes \(channels) channels; "
                    + "select samples that this model's VAE encoded")
        }
        if let odd = samples.first(where: { $0.shape != first.shape }) {
            throw TrainingSourceError(
                "sample \(odd.id) has a latent of \(odd.shape), sample \(first.id) of \(first.shape); "
                    + "select samples of one size")
        }
        return first.shape
    }
}
