package import Diffusion
import Tensors

/// How latents become noisy, and what the network is to say of them.
package struct NoisingProcess: Sendable {
    private let schedule: NoiseSchedule
    private let prediction: SchedulerConfiguration.PredictionType
    /// γ of min-SNR weights (Hang et al., arXiv 2303.09556); nil for none.
    private let minSNR: Double?

    /// - Parameters:
    ///   - scheduler: the schedule that the model was trained with, and what its output means.
    ///   - minSNR: γ of min-SNR weights; nil where all timesteps count the same.
    package init(_ scheduler: SchedulerConfiguration, minSNR: Double? = nil) {
        schedule = NoiseSchedule(scheduler)
        prediction = scheduler.predictionType
        self.minSNR = minSNR
    }

    /// z_t = √ᾱ_t·z + √(1−ᾱ_t)·ε.
    func noisy(_ latents: Tensor, _ noise: Tensor, at timesteps: [Int]) -> Tensor {
        mixed(latents, noise, at: timesteps) { ($0, $1) }
    }

    /// ε, or v = √ᾱ_t·ε − √(1−ᾱ_t)·z.
    func target(_ latents: Tensor, _ noise: Tensor, at timesteps: [Int]) -> Tensor {
        switch prediction {
        case .epsilon: noise
        case .velocity: mixed(latents, noise, at: timesteps) { (-$1, $0) }
        }
    }

    /// What the squared errors at these timesteps count: min(SNR, γ)/SNR for ε, min(SNR, γ)/(SNR + 1) for v; nil for 1.
    package func errorWeights(at timesteps: [Int]) -> [Double]? {
        minSNR.map { limit in
            timesteps.map { timestep in
                let kept = Double(schedule.alphasCumprod[timestep])
                let ratio = kept / (1 - kept)
                switch prediction {
                case .epsilon: return ratio > 0 ? min(ratio, limit) / ratio : 1
                case .velocity: return min(ratio, limit) / (ratio + 1)
                }
            }
        }
    }

    /// a·z + b·ε by samples, where (a, b) comes from (√ᾱ_t, √(1−ᾱ_t)).
    private func mixed(
        _ latents: Tensor, _ noise: Tensor, at timesteps: [Int], _ factors: (Float, Float) -> (Float, Float)
    ) -> Tensor {
        mix(
            latents, noise,
            by: timesteps.map { timestep in
                let kept = schedule.alphasCumprod[timestep]
                return factors(kept.squareRoot(), (1 - kept).squareRoot())
            })
    }
}
