package import Tensors

/// Turns what the denoiser predicts into the next, less noisy sample.
///
/// All arithmetic is element by element, so any layout does.
package protocol Sampler: Sendable {
    /// What the denoiser is told at each step, from noisy to clean.
    var timesteps: [Float] { get }
    /// The training timestep that each step's noise level belongs to, for the MI trace; nil where it has none.
    var traceTimesteps: [Int?] { get }
    /// The standard deviation of the noise that sampling starts from.
    var initialNoiseScale: Float { get }
    /// What the denoiser sees of a sample.
    func scaleInput(_ sample: Tensor, step: Int) -> Tensor
    /// One step.
    ///
    /// - Parameters:
    ///   - modelOutput: the prediction after guidance, of the model's prediction type.
    ///   - step: an index into ``timesteps``; steps are taken in order.
    ///   - noise: standard normal values of the sample's shape, drawn by stochastic samplers only.
    mutating func step(modelOutput: Tensor, step: Int, sample: Tensor, noise: () -> Tensor) -> Tensor
    /// What it remembers of the steps before, each of the samples' shape; set to as many of other samples, to go on with those.
    var memory: [Tensor] { get set }
}

extension Sampler {
    package var initialNoiseScale: Float { 1 }
    package var traceTimesteps: [Int?] { timesteps.map { Int($0) } }
    package func scaleInput(_ sample: Tensor, step: Int) -> Tensor { sample }
    package var memory: [Tensor] {
        get { [] }
        set { precondition(newValue.isEmpty, "this sampler remembers nothing") }
    }
}

/// The training timesteps that `steps` steps visit, from noisy to clean.
func spacedTimesteps(_ configuration: SchedulerConfiguration, steps: Int) -> [Float] {
    let total = configuration.trainTimesteps
    switch configuration.timestepSpacing ?? .leading {
    case .leading:
        // The offset must not lead past the last timestep, as it would when every one is visited.
        return (0..<steps).reversed().map {
            Float(min($0 * (total / steps) + configuration.stepsOffset, total - 1))
        }
    case .trailing:
        let ratio = Double(total) / Double(steps)
        return (0..<steps).map { Float((Double(total) - Double($0) * ratio).rounded(.toNearestOrEven) - 1) }
    case .linspace:
        let step = steps > 1 ? Double(total - 1) / Double(steps - 1) : 0
        return (0..<steps).reversed().map { Float((Double($0) * step).rounded(.toNearestOrEven)) }
    }
}

/// A prediction as the clean sample and as the noise in it.
struct Prediction {
    let clean, noise: Tensor

    init(_ output: Tensor, sample: Tensor, alphaCumprod: Float, _ configuration: SchedulerConfiguration) {
        let (a, b) = (alphaCumprod.squareRoot(), (1 - alphaCumprod).squareRoot())
        let unclipped: Tensor
        switch configuration.predictionType {
        case .epsilon:
            noise = output
            unclipped = (sample - output * b) * (1 / a)
        case .velocity:
            noise = output * a + sample * b
            unclipped = sample * a - output * b
        }
        clean = configuration.clipSample ?? true ? unclipped.clamped(configuration.clipSampleRange) : unclipped
    }
}
