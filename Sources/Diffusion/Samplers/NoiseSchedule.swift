import Glibc

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
        var betas: [Float]
        if let trained = configuration.trainedBetas {
            betas = trained
        } else if configuration.betaSchedule == "scaled_linear" {
            let roots = Self.linspace(Float(start.squareRoot()), Float(end.squareRoot()), count)
            betas = roots.map { $0 * $0 }
        } else if configuration.betaSchedule == "squaredcos_cap_v2" {
            betas = Self.cosine(count)
        } else {
            betas = Self.linspace(Float(start), Float(end), count)
        }
        if configuration.rescaleBetasZeroSNR { betas = Self.withZeroTerminalSNR(betas) }
        self.betas = betas
        alphas = betas.map { 1 - $0 }
        alphasCumprod = Self.cumulativeProduct(alphas)
    }

    private static func cumulativeProduct(_ values: [Float]) -> [Float] {
        var product = 1.0
        return values.map {
            product *= Double($0)
            return Float(product)
        }
    }

    /// The cosine schedule (Nichol & Dhariwal, arXiv 2102.09672).
    private static func cosine(_ count: Int) -> [Float] {
        func kept(_ t: Double) -> Double {
            let c = cos((t + 0.008) / 1.008 * .pi / 2)
            return c * c
        }
        return (0..<count).map {
            Float(min(1 - kept(Double($0 + 1) / Double(count)) / kept(Double($0) / Double(count)), 0.999))
        }
    }

    /// Betas under which nothing of the image is left at the last timestep (Lin et al., arXiv 2305.08891, algorithm 1).
    private static func withZeroTerminalSNR(_ betas: [Float]) -> [Float] {
        let roots = cumulativeProduct(betas.map { 1 - $0 }).map { $0.squareRoot() }
        guard let first = roots.first, let last = roots.last, first > last else { return betas }
        let scale = first / (first - last)
        let kept = roots.map { root in
            let shifted = (root - last) * scale
            return shifted * shifted
        }
        return kept.indices.map { 1 - ($0 == 0 ? kept[0] : kept[$0] / kept[$0 - 1]) }
    }

    /// √((1 − ᾱ)/ᾱ) of each timestep. With zero terminal SNR the last ᾱ is 2⁻²⁴, so that σ stays finite.
    func sigmas(_ configuration: SchedulerConfiguration) -> [Float] {
        var kept = alphasCumprod
        if configuration.rescaleBetasZeroSNR, !kept.isEmpty { kept[kept.count - 1] = 0x1p-24 }
        return kept.map { ((1 - $0) / $0).squareRoot() }
    }

    /// torch.linspace counts from both ends.
    private static func linspace(_ start: Float, _ end: Float, _ count: Int) -> [Float] {
        guard count > 1 else { return [start] }
        let step = (end - start) / Float(count - 1)
        return (0..<count).map { $0 < count / 2 ? start + step * Float($0) : end - step * Float(count - 1 - $0) }
    }
}
