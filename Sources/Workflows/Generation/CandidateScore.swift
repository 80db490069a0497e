import CorpusStore
import Diffusion
import Tensors

/// Ranks candidates that are not finished.
struct CandidateScore {
    private let pruning: PruningSettings
    private let model: DiffusionModel
    private let schedule: NoiseSchedule
    private let near: NearMissPrompts?

    /// - Throws: ``UsageError`` for a score that these candidates do not have; ``Failure`` for prompts without near misses.
    init(_ pruning: PruningSettings, _ maker: CandidateMaker, prompts: [String], in corpus: Corpus) throws {
        (self.pruning, model) = (pruning, maker.model)
        schedule = NoiseSchedule(maker.model.scheduler.resolved(for: maker.settings.sampler))
        switch pruning.score {
        case .mi:
            guard maker.model.isGuided(Float(maker.settings.guidance)) else {
                throw UsageError(
                    "--prune-by mi: without guidance nothing is compared with the prompt; take --guidance above 1, or "
                        + "--prune-by contrast")
            }
            near = nil
        case .contrast:
            let near = try NearMissPrompts(
                pruning.negatives, count: pruning.negativeCount, prompts: prompts, in: corpus, maker.model)
            let lacking = prompts.filter { near.negatives(of: $0).isEmpty }
            if let first = lacking.first {
                let others = lacking.count > 1 ? " and \(lacking.count - 1) more prompts" : ""
                throw Failure(
                    "'\(joinedLines(first))'\(others) has no near misses, by which --prune-by contrast would rank its candidates: "
                        + "list some in a file and give it to --negatives, or take --prune-by mi")
            }
            self.near = near
        }
    }

    /// - Parameter prompts: of the batch's images.
    /// - Returns: one value an image, NaN where there is none, and the passes through the UNet that it took.
    func values(of batch: Denoising, prompts: [String]) throws -> (values: [Double], forwards: Int) {
        guard let near, case .contrast(let ranking) = pruning.score else {
            let estimator = MeanKappaEstimator(kappa: .paper)
            return (batch.traces.map { estimator.estimate($0, schedule: schedule).value }, 0)
        }
        guard let clean = batch.cleanLatents else {
            throw UsageError(
                "--prune-by contrast: this sampler is between the model's noise levels there; take --prune-by mi")
        }
        let highest = model.schedule.count - 1
        let least = min(200, highest / 5)
        // From noisy to clean, where contrast is measured.
        let timesteps = (0..<pruning.measurements).map { place in
            highest - Int(Double(highest - least) * (Double(place) + 0.5) / Double(pruning.measurements))
        }
        let estimator = ContrastEstimator(range: ErrorRange(above: least), errorWeight: ranking.errorWeight)
        var (values, forwards): ([Double], Int) = ([], 0)
        var meter: (prompt: ExactText, meter: ErrorMeter, prompts: Int)?
        for (row, prompt) in prompts.enumerated() {
            let text = ExactText(prompt)
            if meter?.prompt != text {
                let embeddings = model.encode(prompts: [prompt] + near.negatives(of: prompt))
                meter = (
                    text,
                    ErrorMeter(
                        model, prompt: embeddings[0], negatives: Array(embeddings.dropFirst()), timesteps: timesteps,
                        draws: 1, seed: 42), embeddings.count + 1
                )
            }
            guard let meter else { continue }
            let latent = clean.batch(row..<row + 1)
            let errors = try meter.meter.measure(latent: latent.reshaped(Array(latent.shape.dropFirst()))).errors
            values.append(estimator.estimate(errors, schedule: model.schedule).value)
            forwards += meter.prompts * timesteps.count
        }
        return (values, forwards)
    }
}
