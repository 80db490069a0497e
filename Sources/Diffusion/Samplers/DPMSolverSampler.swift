import Tensors

import Glibc

/// DPM-Solver++ by multistep (Lu et al., arXiv 2211.01095), of order 1 to 3, and its stochastic form.
struct DPMSolverSampler: Sampler {
    let timesteps: [Float]
    private let steps: SolverSteps
    private let prediction: SchedulerConfiguration.PredictionType
    private let settings: SolverSettings
    private let endsAtZero, isStochastic: Bool
    /// Predictions of the clean sample, the latest last.
    private var outputs: [Tensor] = []

    var memory: [Tensor] {
        get { outputs }
        set { outputs = newValue }
    }

    init(_ configuration: SchedulerConfiguration, steps count: Int, isStochastic: Bool) {
        steps = SolverSteps(configuration, steps: count, usesSolverSettings: true)
        timesteps = steps.timesteps
        prediction = configuration.predictionType
        settings = configuration.solver
        endsAtZero = !configuration.sigmas.endsAtSmallest
        self.isStochastic = isStochastic
    }

    mutating func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        let taken = outputs.count
        outputs =
            outputs.suffix(settings.order - 1)
            + [cleanSample(modelOutput, sample, steps.levels[step], prediction)]
        let drawn = isStochastic ? noise() : nil
        let left = timesteps.count - step
        let isShort = settings.lowerOrderFinal && timesteps.count < 15
        let isFirstOrder = left == 1 && (settings.eulerAtFinal || isShort || endsAtZero)
        var order = min(settings.order, taken + 1)
        if isFirstOrder { order = 1 } else if left == 2, isShort { order = min(order, 2) }
        return advance(sample, drawn, step: step, order: order)
    }

    /// The update of the given order, written as a weighted sum of the sample, the latest predictions and noise.
    private func advance(_ sample: Tensor, _ noise: Tensor?, step: Int, order: Int) -> Tensor {
        let (from, to) = (steps.levels[step], steps.levels[step + 1])
        let h = to.lambda - from.lambda
        // The stochastic form is the other over twice the distance, and some of the sample lost to noise.
        let span = isStochastic ? 2 * h : h
        let decay = exp(-span)
        let factor = to.sigma / from.sigma * (isStochastic ? exp(-h) : 1)
        var out = sample * Float(factor) + outputs[outputs.count - 1] * Float(to.alpha * (1 - decay))
        if order > 1 {
            let differences = differences(step: step, h: h, order: order)
            let first: Double
            if order == 2, settings.type != "heun" {
                first = to.alpha * 0.5 * (1 - decay)
            } else {
                first = span == 0 ? 0 : to.alpha * ((decay - 1) / span + 1)
            }
            out = out + differences[0] * Float(first)
            if order == 3, span != 0 {
                out = out - differences[1] * Float(to.alpha * ((decay - 1 + span) / (span * span) - 0.5))
            }
        }
        guard let noise else { return out }
        return out + noise * Float(to.sigma * (1 - exp(-2 * h)).squareRoot())
    }

    /// Divided differences of the predictions, scaled to the present step.
    private func differences(step: Int, h: Double, order: Int) -> [Tensor] {
        let level = steps.levels
        let m = Array(outputs.reversed())
        func ratio(_ distance: Double) -> Double { distance == 0 ? .infinity : distance / h }
        let r0 = ratio(level[step].lambda - level[step - 1].lambda)
        let near = (m[0] - m[1]) * Float(1 / r0)
        if order == 2 { return [near] }
        let r1 = ratio(level[step - 1].lambda - level[step - 2].lambda)
        let far = (m[1] - m[2]) * Float(1 / r1)
        let bend = near - far
        let sum = r0 + r1
        return [near + bend * Float(sum.isFinite ? r0 / sum : 0), bend * Float(sum.isFinite ? 1 / sum : 0)]
    }
}

/// The clean sample that a prediction amounts to.
func cleanSample(
    _ output: Tensor, _ sample: Tensor, _ level: SolverSteps.Level, _ prediction: SchedulerConfiguration.PredictionType
) -> Tensor {
    switch prediction {
    case .epsilon: (sample - output * Float(level.sigma)) * Float(1 / level.alpha)
    case .velocity: sample * Float(level.alpha) - output * Float(level.sigma)
    }
}
