import Tensors

/// Sampling of latent consistency models (Luo et al., arXiv 2310.04378): each step goes to the clean sample at once, and
/// noise leads back to the next timestep.
struct LCMSampler: Sampler {
    let timesteps: [Float]
    private let configuration: SchedulerConfiguration
    private let schedule: NoiseSchedule

    init(_ configuration: SchedulerConfiguration, steps: Int) {
        self.configuration = configuration
        schedule = NoiseSchedule(configuration)
        let original = configuration.lcm.originalSteps
        let stride = configuration.trainTimesteps / original
        timesteps = (0..<steps).map { Float((original - $0 * original / steps) * stride - 1) }
    }

    func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        let t = Int(timesteps[step])
        let scaled = Float(t) * configuration.lcm.timestepScaling
        // The boundary conditions of consistency models with σ_data = 0.5.
        let variance: Float = 0.25
        let skip = variance / (scaled * scaled + variance)
        let out = scaled / (scaled * scaled + variance).squareRoot()
        var own = configuration
        own.clipSample = configuration.clipSample ?? false
        let clean = Prediction(modelOutput, sample: sample, alphaCumprod: schedule.alphasCumprod[t], own).clean
        let denoised = clean * out + sample * skip
        guard step + 1 < timesteps.count else { return denoised }
        let next = schedule.alphasCumprod[Int(timesteps[step + 1])]
        return denoised * next.squareRoot() + noise() * (1 - next).squareRoot()
    }
}
