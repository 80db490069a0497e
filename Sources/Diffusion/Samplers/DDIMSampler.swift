import Tensors

/// Deterministic sampling, η = 0 (Song et al., arXiv 2010.02502, equation 12).
struct DDIMSampler: Sampler {
    let timesteps: [Float]
    private let configuration: SchedulerConfiguration
    private let schedule: NoiseSchedule
    private let stride: Int

    init(_ configuration: SchedulerConfiguration, steps: Int) {
        self.configuration = configuration
        schedule = NoiseSchedule(configuration)
        timesteps = spacedTimesteps(configuration, steps: steps)
        stride = configuration.trainTimesteps / steps
    }

    func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        let t = Int(timesteps[step])
        let last = configuration.setAlphaToOne ?? true ? 1 : schedule.alphasCumprod[0]
        let previous = t >= stride ? schedule.alphasCumprod[t - stride] : last
        let prediction = Prediction(
            modelOutput, sample: sample, alphaCumprod: schedule.alphasCumprod[t], configuration)
        return prediction.clean * previous.squareRoot() + prediction.noise * (1 - previous).squareRoot()
    }
}
