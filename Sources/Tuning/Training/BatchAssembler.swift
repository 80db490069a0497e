import CorpusStore
import Diffusion
import Tensors

/// Turns stream entries into microbatches: latents from the source, noise, timestep and whatever else the loss draws from
/// the entry's own draws, prompt embeddings computed or remembered.
final class BatchAssembler {
    private let model: DiffusionModel
    private let source: any TrainingSource
    private let configuration: TrainingConfiguration
    private let negatives: NegativePrompts?
    private let draws: SampleDraws
    private let timesteps: ClosedRange<Int>
    private var embeddings = PromptEmbeddings()

    init(
        model: DiffusionModel, source: any TrainingSource, configuration: TrainingConfiguration,
        negatives: NegativePrompts?
    ) {
        (self.model, self.source) = (model, source)
        (self.configuration, self.negatives) = (configuration, negatives)
        draws = SampleDraws(seed: configuration.seed)
        timesteps = configuration.timesteps?.range ?? 0...model.scheduler.trainTimesteps - 1
    }

    /// - Parameters:
    ///   - entries: of the stream.
    ///   - plan: what the loss knows of the samples of an epoch.
    ///   - dropping: whether captions are dropped at the configured rate.
    func batch(
        _ entries: [StreamEntry], dropping: Bool = true, plan: (_ epoch: Int) -> EpochPlan?
    ) throws(TrainingSourceError) -> TrainingBatch {
        let samples = try source.samples(entries.map(\.id))
        let shape = try commonShape(samples)
        let rate = dropping ? configuration.dropCaptions ?? 0 : 0
        let isDropped = entries.map { rate > 0 && draws.dropsCaption($0.index, rate: rate) }
        var table = TextTable()
        let prompts = zip(samples, isDropped).map { table.place(of: $1 ? nil : $0.prompt) }
        let negatives = nearMisses(entries, samples, isDropped).map { lists in
            lists.map { $0.map { table.place(of: $0) } }
        }
        let texts = embedded(table.texts)
        // Corpus and draws are channels-first, as in diffusers.
        let latents = samples.map { Tensor(shape: [1] + shape, values: $0.latent) }
        let noise = entries.map { draws.noise($0.index, shape: [1] + shape) }
        return TrainingBatch(
            latents: concatenateBatch(latents).channelsLast, noise: concatenateBatch(noise).channelsLast,
            timesteps: timesteps(entries), text: PromptEmbedding.batch(texts),
            prompts: prompts, added: model.addedConditions(texts, latents: Array(shape.dropFirst())),
            weights: all(samples.map(\.weight)), negatives: negatives, losers: try losers(entries, shape, plan),
            rewards: all(entries.map { plan($0.epoch)?.reward(of: $0.id) }))
    }

    /// The timesteps of entries.
    func timesteps(_ entries: [StreamEntry]) -> [Int] { entries.map { draws.timestep($0.index, in: timesteps) } }

    /// The samples that a batch of these entries reads.
    func ids(_ entries: some Collection<StreamEntry>, plan: (_ epoch: Int) -> EpochPlan?) -> [Digest] {
        entries.flatMap { [$0.id] + (plan($0.epoch)?.loser(to: $0, draws: draws).map { [$0] } ?? []) }
    }

    /// One value for each sample, or none at all.
    private func all<T>(_ values: [T?]) -> [T]? {
        let known = values.compactMap(\.self)
        return known.count == values.count ? known : nil
    }

    // MARK: What losses ask for

    /// Near-miss prompts of each sample; nil for losses without. Who is shown no prompt is shown no near miss of it.
    private func nearMisses(_ entries: [StreamEntry], _ samples: [TrainingSample], _ isDropped: [Bool]) -> [[String]]? {
        guard let negatives, configuration.loss?.kind == .contrast else { return nil }
        return samples.indices.map { row in
            guard !isDropped[row] else { return [] }
            let known = negatives(samples[row].prompt)
            return draws.negatives(entries[row].index, configuration.loss?.negatives ?? 1, of: known.count)
                .map { known[$0] }
        }
    }

    /// The worse images of pairs, `[N, h, w, C]`; nil for losses without.
    private func losers(
        _ entries: [StreamEntry], _ shape: [Int], _ plan: (_ epoch: Int) -> EpochPlan?
    ) throws(TrainingSourceError) -> Tensor? {
        guard let ids = all(entries.map { plan($0.epoch)?.loser(to: $0, draws: draws) }) else { return nil }
        let samples = try source.samples(ids)
        if let odd = samples.first(where: { $0.shape != shape }) {
            throw TrainingSourceError(
                "sample \(odd.id) has a latent of \(odd.shape), the better one of its pair of \(shape); select samples of "
                    + "one size")
        }
        return concatenateBatch(samples.map { Tensor(shape: [1] + shape, values: $0.latent) }).channelsLast
    }

    // MARK: Texts and latents

    /// The embeddings of texts; nil stands for the empty prompt as guidance has it.
    private func embedded(_ texts: [String?]) -> [PromptEmbedding] {
        let known = embeddings(texts.compactMap(\.self)) { model.encode(prompts: [$0])[0] }
        var next = known.makeIterator()
        return texts.map { $0 == nil ? model.emptyPrompt : next.next() ?? model.emptyPrompt }
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

/// The texts of a batch, each once, in the order in which they are first used.
private struct TextTable {
    private(set) var texts: [String?] = []
    private var places: [ExactText?: Int] = [:]

    mutating func place(of text: String?) -> Int {
        let key = text.map { ExactText($0) }
        if let known = places[key] { return known }
        places[key] = texts.count
        texts.append(text)
        return texts.count - 1
    }
}
