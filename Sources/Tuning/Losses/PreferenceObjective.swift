import Foundation
package import Tensors

/// Diffusion-DPO (Wallace et al., arXiv 2311.12908): the trained network is to improve on the reference more for the
/// better image of a pair than for the worse one.
///
/// With e the mean squared errors of the trained network and r those of the reference, for the same noise and timestep of
/// both images: L = −log σ(−(β/2)·((e_w − r_w) − (e_l − r_l))). The paper's βT is β here, and its sum over the values of a
/// latent a mean, as its authors' code has it.
package struct PreferenceObjective: TrainingObjective {
    private let process: NoisingProcess
    private let beta: Double

    package init(_ process: NoisingProcess, beta: Double) { (self.process, self.beta) = (process, beta) }

    package var steepness: Double { beta / 2 }

    package func callAsFunction(_ batch: TrainingBatch, _ policies: Policies) -> Tensor {
        guard let losers = batch.losers else { preconditionFailure("this loss needs pairs") }
        let pairs = batch.timesteps.count
        let timesteps = batch.timesteps + batch.timesteps
        let texts = batch.prompts + batch.prompts
        let latents = concatenateBatch([batch.latents, losers])
        let noise = batch.noise.repeated(2)
        let noisy = process.noisy(latents, noise, at: timesteps)
        let target = process.target(latents, noise, at: timesteps)
        let size = Double(target.count / timesteps.count)
        let reference = policies.predictReference(noisy, timesteps: timesteps, batch, texts: texts)
        let known = Reduction.squaredDistancePerSample(reference, target).map { $0 / size }
        let output = policies.predict(noisy, timesteps: timesteps, batch, texts: texts)
        return errorLoss(output, target) { errors in
            var (value, slopes) = (0.0, Array(repeating: 0.0, count: errors.count))
            for row in 0..<pairs {
                let gain = (errors[row] - known[row]) - (errors[pairs + row] - known[pairs + row])
                let x = beta / 2 * gain
                // −log σ(−x) = log(1 + eˣ), and its slope is σ(x).
                value += max(x, 0) + log1p(exp(-abs(x)))
                let slope = beta / 2 / (1 + exp(-x))
                slopes[row] = slope / Double(pairs)
                slopes[pairs + row] = -slope / Double(pairs)
            }
            return (value / Double(pairs), slopes)
        }
    }
}
