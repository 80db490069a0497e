import Tensors

/// Pseudo linear multistep sampling with its Runge–Kutta start (Liu et al., arXiv 2202.09778): the first three steps ask
/// the denoiser four times each.
struct PNDMRungeKuttaSampler: Sampler {
    /// The start spans this many timesteps.
    static let fewestSteps = 4

    let timesteps: [Float]
    private let transfer: PNDMTransfer
    private let stride: Int
    /// How many of the timesteps belong to the start.
    private let startCount: Int
    private var outputs: [Tensor] = []
    private var weighted: Tensor?
    private var firstSample: Tensor?

    var memory: [Tensor] {
        get { outputs + [weighted, firstSample].compactMap(\.self) }
        set {
            var rest = newValue
            outputs = Array(rest.prefix(outputs.count))
            rest.removeFirst(outputs.count)
            if weighted != nil { weighted = rest.removeFirst() }
            if firstSample != nil { firstSample = rest.removeFirst() }
        }
    }

    init(_ configuration: SchedulerConfiguration, steps: Int) {
        transfer = PNDMTransfer(configuration: configuration, schedule: NoiseSchedule(configuration))
        stride = configuration.trainTimesteps / steps
        let plain = spacedTimesteps(configuration, steps: steps)
        let half = Float(stride / 2)
        // Between two timesteps the one in the middle comes twice, and each inner one ends a step and begins another.
        let points = plain[1..<Self.fewestSteps].flatMap { [$0 + half, $0 + half, $0, $0] }
        let start = [plain[0]] + points.dropLast()
        startCount = start.count
        timesteps = start + plain[(Self.fewestSteps - 1)...]
    }

    mutating func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        let t = Int(timesteps[step])
        guard step < startCount else {
            outputs = outputs.suffix(3) + [modelOutput]
            let e = outputs
            let combined = (e[3] * 55 - e[2] * 59 + e[1] * 37 - e[0] * 9) * (1 / 24)
            return transfer(sample, combined, from: t, to: t - stride)
        }
        var output = modelOutput
        let sum = weighted
        switch step % 4 {
        case 0:
            outputs.append(modelOutput)
            firstSample = sample
            weighted = modelOutput * (1 / 6)
        case 3:
            output = (sum.map { $0 + modelOutput * (1 / 6) }) ?? modelOutput
            weighted = nil
        default: weighted = sum.map { $0 + modelOutput * (1 / 3) }
        }
        let begin = Int(timesteps[step / 4 * 4])
        return transfer(firstSample ?? sample, output, from: begin, to: t - (step % 2 == 1 ? 0 : stride / 2))
    }
}
