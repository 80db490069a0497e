import Tensors

/// Ancestral sampling (Ho et al., arXiv 2006.11239, algorithm 2) over a subset of the timesteps.
struct DDPMSampler: Sampler {
    let timesteps: [Float]
    private let configuration: SchedulerConfiguration
    private let schedule: NoiseSchedule

    init(_ configuration: SchedulerConfiguration, steps: Int) {
        self.configuration = configuration
        schedule = NoiseSchedule(configuration)
        timesteps = spacedTimesteps(configuration, steps: steps)
    }

    func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        let t = Int(timesteps[step])
        let alphaBar = schedule.alphasCumprod[t]
        let previous = step + 1 < timesteps.count ? schedule.alphasCumprod[Int(timesteps[step + 1])] : 1
        let alpha = alphaBar / previous
        let (beta, betaBar) = (1 - alpha, 1 - alphaBar)
        let clean = Prediction(modelOutput, sample: sample, alphaCumprod: alphaBar, configuration).clean
        let mean =
            clean * (previous.squareRoot() * beta / betaBar) + sample * (alpha.squareRoot() * (1 - previous) / betaBar)
        guard t > 0 else { return mean }
        let variance = configuration.varianceType == "fixed_large" ? beta : (1 - previous) / betaBar * beta
        return mean + noise() * max(variance, 1e-20).squareRoot()
    }
}
