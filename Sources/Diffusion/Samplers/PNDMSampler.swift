import Tensors

/// Pseudo linear multistep sampling (Liu et al., arXiv 2202.09778) without the Runge–Kutta start, as Stable Diffusion
/// uses it: the second timestep is visited twice.
struct PNDMSampler: Sampler {
    let timesteps: [Float]
    private let configuration: SchedulerConfiguration
    private let schedule: NoiseSchedule
    private let stride: Int
    private var outputs: [Tensor] = []
    private var firstSample: Tensor?

    var memory: [Tensor] {
        get { outputs + [firstSample].compactMap(\.self) }
        set {
            if firstSample != nil { firstSample = newValue.last }
            outputs = Array(newValue.prefix(outputs.count))
        }
    }

    init(_ configuration: SchedulerConfiguration, steps: Int) {
        self.configuration = configuration
        schedule = NoiseSchedule(configuration)
        stride = configuration.trainTimesteps / steps
        let plain = spacedTimesteps(configuration, steps: steps)
        timesteps = plain.count > 1 ? [plain[0], plain[1]] + plain[1...] : plain
    }

    mutating func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor {
        var t = Int(timesteps[step])
        var previous = t - stride
        var sample = sample
        let combined: Tensor
        if step == 1 {
            // The doubled step repeats the first one with the mean of both predictions.
            (previous, t) = (t, t + stride)
            combined = ((outputs.last ?? modelOutput) + modelOutput) * 0.5
            sample = firstSample ?? sample
            firstSample = nil
        } else {
            outputs = outputs.suffix(3) + [modelOutput]
            combined = adamsBashforth()
            if step == 0 { firstSample = sample }
        }
        return advance(sample, combined, from: t, to: previous)
    }

    private func adamsBashforth() -> Tensor {
        let e = Array(outputs.reversed())
        switch e.count {
        case 1: return e[0]
        case 2: return (e[0] * 3 - e[1]) * 0.5
        case 3: return (e[0] * 23 - e[1] * 16 + e[2] * 5) * (1 / 12)
        default: return (e[0] * 55 - e[1] * 59 + e[2] * 37 - e[3] * 9) * (1 / 24)
        }
    }

    private func advance(_ sample: Tensor, _ output: Tensor, from t: Int, to previous: Int) -> Tensor {
        PNDMTransfer(configuration: configuration, schedule: schedule)(sample, output, from: t, to: previous)
    }
}

/// Equation 9 of the paper: a sample at one timestep from that at another.
struct PNDMTransfer {
    let configuration: SchedulerConfiguration
    let schedule: NoiseSchedule

    func callAsFunction(_ sample: Tensor, _ output: Tensor, from t: Int, to previous: Int) -> Tensor {
        let last = configuration.setAlphaToOne ?? false ? 1 : schedule.alphasCumprod[0]
        let alpha = schedule.alphasCumprod[min(t, schedule.count - 1)]
        let next = previous >= 0 ? schedule.alphasCumprod[min(previous, schedule.count - 1)] : last
        let noise =
            configuration.predictionType == .epsilon
            ? output : output * alpha.squareRoot() + sample * (1 - alpha).squareRoot()
        let denominator = alpha * (1 - next).squareRoot() + (alpha * (1 - alpha) * next).squareRoot()
        return sample * (next / alpha).squareRoot() - noise * ((next - alpha) / denominator)
    }
}
