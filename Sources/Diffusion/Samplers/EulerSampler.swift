import Tensors

import Glibc

/// Euler steps along the probability-flow ODE in σ (Karras et al., arXiv 2206.00364, algorithm 2 without churn).
struct EulerSampler: Sampler {
    let timesteps: [Float]
    let traceTimesteps: [Int?]
    let initialNoiseScale: Float
    private let configuration: SchedulerConfiguration
    private let sigmas: [Float]

    init(_ configuration: SchedulerConfiguration, steps: Int) {
        self.configuration = configuration
        let settings = configuration.sigmas
        let spacing = configuration.timestepSpacing ?? .linspace
        let schedule = SigmaSchedule(configuration)
        var visited = eulerTimesteps(configuration, spacing, steps: steps).map(Double.init)
        var levels = visited.map(schedule.sigma)
        if settings.interpolation == "log_linear" {
            // One more than there are timesteps, from the largest σ to the smallest.
            let (high, low) = (log(schedule.table[schedule.table.count - 1]), log(schedule.table[0]))
            levels = (0...steps).map { exp(high + Double($0) / Double(steps) * (low - high)) }
        }
        if let spread = SigmaSchedule.spread(settings, over: levels, steps: steps) {
            levels = spread
            visited = spread.map(schedule.timestep)
        }
        sigmas = (levels + [schedule.final(settings)]).map { Float($0) }
        let isContinuous = settings.isContinuous && configuration.predictionType == .velocity
        timesteps = isContinuous ? levels.prefix(steps).map { Float(0.25 * log($0)) } : visited.map { Float($0) }
        traceTimesteps =
            isContinuous
            ? levels.prefix(steps).map { schedule.reaches($0) ? Int(schedule.timestep(of: $0).rounded()) : nil }
            : visited.map { Int($0) }
        let largest = sigmas.max() ?? 1
        initialNoiseScale = spacing == .leading ? (largest * largest + 1).squareRoot() : largest
    }

    func scaleInput(_ sample: Tensor, step: Int) -> Tensor {
        sample * (1 / (sigmas[step] * sigmas[step] + 1).squareRoot())
    }

    func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        let sigma = sigmas[step]
        let derivative = eulerDerivative(configuration, modelOutput, sample: sample, sigma: sigma)
        return sample + derivative * (sigmas[step + 1] - sigma)
    }
}

/// Euler steps with fresh noise after each (k-diffusion's ancestral sampling).
struct EulerAncestralSampler: Sampler {
    let timesteps: [Float]
    let initialNoiseScale: Float
    private let configuration: SchedulerConfiguration
    private let sigmas: [Float]

    init(_ configuration: SchedulerConfiguration, steps: Int) {
        self.configuration = configuration
        let spacing = configuration.timestepSpacing ?? .linspace
        let schedule = SigmaSchedule(configuration)
        timesteps = eulerTimesteps(configuration, spacing, steps: steps)
        sigmas = timesteps.map { Float(schedule.sigma(at: Double($0))) } + [0]
        let largest = sigmas.max() ?? 1
        initialNoiseScale = spacing == .leading ? (largest * largest + 1).squareRoot() : largest
    }

    func scaleInput(_ sample: Tensor, step: Int) -> Tensor {
        sample * (1 / (sigmas[step] * sigmas[step] + 1).squareRoot())
    }

    func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        let (from, to) = (sigmas[step], sigmas[step + 1])
        let added = (to * to * max(from * from - to * to, 0) / (from * from)).squareRoot()
        let down = max(to * to - added * added, 0).squareRoot()
        let derivative = eulerDerivative(configuration, modelOutput, sample: sample, sigma: from)
        return sample + derivative * (down - from) + noise() * added
    }
}

/// Where Euler steps go: unlike other samplers they follow fractions of timesteps under linear spacing.
private func eulerTimesteps(
    _ configuration: SchedulerConfiguration, _ spacing: SchedulerConfiguration.Spacing, steps: Int
) -> [Float] {
    if spacing == .linspace, steps > 1 {
        let step = Float(configuration.trainTimesteps - 1) / Float(steps - 1)
        return (0..<steps).reversed().map { Float($0) * step }
    }
    var resolved = configuration
    resolved.timestepSpacing = spacing
    return spacedTimesteps(resolved, steps: steps)
}

/// dz/dσ.
private func eulerDerivative(
    _ configuration: SchedulerConfiguration, _ modelOutput: Tensor, sample: Tensor, sigma: Float
) -> Tensor {
    switch configuration.predictionType {
    case .epsilon: return modelOutput
    case .velocity:
        let scale = sigma * sigma + 1
        let clean = sample * (1 / scale) - modelOutput * (sigma / scale.squareRoot())
        return (sample - clean) * (1 / sigma)
    }
}
