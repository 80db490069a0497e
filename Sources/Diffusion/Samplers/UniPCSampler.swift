import Tensors

import Glibc

/// UniPC (Zhao et al., arXiv 2302.04867): a multistep predictor, and a corrector that uses the next prediction
/// without another pass through the network.
struct UniPCSampler: Sampler {
    let timesteps: [Float]
    private let steps: SolverSteps
    private let prediction: SchedulerConfiguration.PredictionType
    private let settings: SolverSettings
    /// Converted predictions, the latest last.
    private var outputs: [Tensor] = []
    private var lastSample: Tensor?
    private var lastOrder = 1
    private var taken = 0

    var memory: [Tensor] {
        get { outputs + [lastSample].compactMap(\.self) }
        set {
            if lastSample != nil { lastSample = newValue.last }
            outputs = Array(newValue.prefix(outputs.count))
        }
    }

    init(_ configuration: SchedulerConfiguration, steps count: Int) {
        steps = SolverSteps(configuration, steps: count, usesSolverSettings: false)
        timesteps = steps.timesteps
        prediction = configuration.predictionType
        settings = configuration.solver
    }

    mutating func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        let converted = converted(modelOutput, sample, steps.levels[step])
        var sample = sample
        if step > 0, let lastSample, !settings.uncorrected.contains(step - 1) {
            sample = update(lastSample, from: step - 1, order: lastOrder, correcting: converted)
        }
        outputs = outputs.suffix(settings.order - 1) + [converted]
        let order = settings.lowerOrderFinal ? min(settings.order, timesteps.count - step) : settings.order
        lastOrder = min(order, taken + 1)
        lastSample = sample
        taken = min(taken + 1, settings.order)
        return update(sample, from: step, order: lastOrder, correcting: nil)
    }

    /// What the solver works with: the clean sample, or the noise where predict_x0 is false.
    private func converted(_ output: Tensor, _ sample: Tensor, _ level: SolverSteps.Level) -> Tensor {
        if settings.predictsClean { return cleanSample(output, sample, level, prediction) }
        switch prediction {
        case .epsilon: return output
        case .velocity: return output * Float(level.alpha) + sample * Float(level.sigma)
        }
    }

    /// One update from a level to the next (equations 3 and 9 of the paper).
    ///
    /// - Parameter correcting: the prediction at the end of the step, for the corrector; nil for the predictor.
    private func update(_ sample: Tensor, from step: Int, order: Int, correcting next: Tensor?) -> Tensor {
        let (from, to) = (steps.levels[step], steps.levels[step + 1])
        let h = to.lambda - from.lambda
        let signed = settings.predictsClean ? -h : h
        let phi = expm1(signed)
        let scale = settings.type == "bh1" ? signed : phi
        let latest = outputs[outputs.count - 1]
        var (points, differences) = ([Double](), [Tensor]())
        for back in stride(from: 1, to: order, by: 1) {
            let point = (steps.levels[step - back].lambda - from.lambda) / h
            points.append(point)
            differences.append((outputs[outputs.count - 1 - back] - latest) * Float(point == 0 ? 0 : 1 / point))
        }
        points.append(1)
        if let next { differences.append(next - latest) }
        let weights = weights(points, signed: signed, phi: phi, scale: scale, corrects: next != nil)
        let (kept, reach) =
            settings.predictsClean ? (to.sigma / from.sigma, to.alpha) : (to.alpha / from.alpha, to.sigma)
        var out = sample * Float(kept) - latest * Float(reach * phi)
        for (difference, weight) in zip(differences, weights) {
            out = out - difference * Float(reach * scale * weight)
        }
        return out
    }

    /// The weights of the differences: they make the update exact for polynomials of as high a degree as can be.
    private func weights(_ points: [Double], signed: Double, phi: Double, scale: Double, corrects: Bool) -> [Double] {
        let order = points.count
        if corrects ? order == 1 : order <= 2 { return order == 1 && !corrects ? [] : [0.5] }
        var right: [Double] = []
        var (value, factorial) = (phi / signed - 1, 1.0)
        for index in 1...order {
            right.append(value * factorial / scale)
            factorial *= Double(index + 1)
            value = value / signed - 1 / factorial
        }
        // The predictor does not know the end of the step.
        let count = corrects ? order : order - 1
        let matrix = (0..<count).map { power in points.prefix(count).map { pow($0, Double(power)) } }
        return solve(matrix, Array(right.prefix(count)))
    }
}

/// The solution of a small system by elimination with pivots; zeros where it has none.
private func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    let count = right.count
    var (a, b) = (matrix, right)
    for column in 0..<count {
        let pivot = (column..<count).max { abs(a[$0][column]) < abs(a[$1][column]) } ?? column
        guard a[pivot][column] != 0, a[pivot][column].isFinite else { return Array(repeating: 0, count: count) }
        a.swapAt(column, pivot)
        b.swapAt(column, pivot)
        for row in column + 1..<max(count, column + 1) {
            let factor = a[row][column] / a[column][column]
            for k in column..<count { a[row][k] -= factor * a[column][k] }
            b[row] -= factor * b[column]
        }
    }
    for row in (0..<count).reversed() {
        for k in row + 1..<max(count, row + 1) { b[row] -= a[row][k] * b[k] }
        b[row] /= a[row][row]
    }
    return b
}
