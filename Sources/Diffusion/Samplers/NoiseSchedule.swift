/// How much noise each training timestep has: β, α = 1 − β and ᾱ, the running product of α (Ho et al., arXiv
/// 2006.11239), in float32 as torch computes them.
package struct NoiseSchedule: Sendable, Equatable {
    package let betas: [Float]
    package let alphas: [Float]
    package let alphasCumprod: [Float]

    package var count: Int { betas.count }

    package init(_ configuration: SchedulerConfiguration) {
        let count = configuration.trainTimesteps
        let (start, end) = (configuration.betaStart, configuration.betaEnd)
        if let trained = configuration.trainedBetas {
            betas = trained
        } else if configuration.betaSchedule == "scaled_linear" {
            let roots = Self.linspace(Float(start.squareRoot()), Float(end.squareRoot()), count)
            betas = roots.map { $0 * $0 }
        } else {
            betas = Self.linspace(Float(start), Float(end), count)
        }
        alphas = betas.map { 1 - $0 }
        var product = 1.0
        alphasCumprod = alphas.map {
            product *= Double($0)
            return Float(product)
        }
    }

    /// torch.linspace counts from both ends.
    private static func linspace(_ start: Float, _ end: Float, _ count: Int) -> [Float] {
        guard count > 1 else { return [start] }
        let step = (end - start) / Float(count - 1)
        return (0..<count).map { $0 < count / 2 ? start + step * Float($0) : end - step * Float(count - 1 - $0) }
    }
}
