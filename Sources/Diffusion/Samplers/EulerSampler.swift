import Tensor

/// Euler steps along the probability-flow ODE in σ (Karras et al., arXiv 2206.00364, algorithm 2 without churn).
struct EulerSampler: Sampler {
    let timesteps: [Float]
    let initialNoiseScale: Float
    private let configuration: SchedulerConfiguration
    private let sigmas: [Float]

    init(_ configuration: SchedulerConfiguration, steps: Int) {
        self.configuration = configuration
        let spacing = configuration.timestepSpacing ?? .linspace
        let all = NoiseSchedule(configuration).alphasCumprod.map { ((1 - $0) / $0).squareRoot() }
        if spacing == .linspace, steps > 1 {
            let step = Float(all.count - 1) / Float(steps - 1)
            timesteps = (0..<steps).reversed().map { Float($0) * step }
        } else {
            var resolved = configuration
            resolved.timestepSpacing = spacing
            timesteps = spacedTimesteps(resolved, steps: steps)
        }
        sigmas =
            timesteps.map { t in
                let low = min(Int(t), all.count - 1)
                let high = min(low + 1, all.count - 1)
                return all[low] + (all[high] - all[low]) * (t - Float(low))
            } + [0]
        let largest = sigmas.max() ?? 1
        initialNoiseScale =
            spacing == .leading ? (largest * largest + 1).squareRoot() : largest
    }

    func scaleInput(_ sample: Tensor, step: Int) -> Tensor {
        sample * (1 / (sigmas[step] * sigmas[step] + 1).squareRoot())
    }

    func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        let sigma = sigmas[step]
        let derivative: Tensor
        switch configuration.predictionType {
        case .epsilon: derivative = modelOutput
        case .velocity:
            let scale = sigma * sigma + 1
            let clean = sample * (1 / scale) - modelOutput * (sigma / scale.squareRoot())
            derivative = (sample - clean) * (1 / sigma)
        }
        return sample + derivative * (sigmas[step + 1] - sigma)
    }
}
