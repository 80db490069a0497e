package import Tensors

/// DiffusionNFT (Zheng et al., arXiv 2509.16117): good images pull the trained policy, bad ones push it away, both through
/// policies that are implied by the old one.
///
/// With o the old policy's prediction, p the trained one's, y the target and r the image's reward in 0…1:
/// L = r·‖(1−β)·o + β·p − y‖² + (1−r)·‖(1+β)·o − β·p − y‖², a mean over the values of a latent. The paper states it for
/// velocities; here p, o and y are what the model predicts, ε or v. All of them are affine in each other at a given z_t and
/// t, so this changes the weight of a timestep and nothing else.
package struct NegativeAwareObjective: TrainingObjective {
    private let process: NoisingProcess
    private let beta: Double

    package init(_ process: NoisingProcess, beta: Double) { (self.process, self.beta) = (process, beta) }

    package func callAsFunction(_ batch: TrainingBatch, _ policies: Policies) -> Tensor {
        guard let rewards = batch.rewards else { preconditionFailure("this loss needs rewards") }
        let rows = batch.timesteps.count
        let noisy = process.noisy(batch.latents, batch.noise, at: batch.timesteps)
        let target = process.target(batch.latents, batch.noise, at: batch.timesteps)
        let old = policies.predictReference(noisy, timesteps: batch.timesteps, batch, texts: batch.prompts)
        let output = policies.predict(noisy, timesteps: batch.timesteps, batch, texts: batch.prompts)
        let factor = Float(beta)
        let positive = old * (1 - factor) + output * factor
        let negative = old * (1 + factor) - output * factor
        return errorLoss(concatenateBatch([positive, negative]), target.repeated(2)) { errors in
            let shares = rewards.map { Double($0) / Double(rows) } + rewards.map { (1 - Double($0)) / Double(rows) }
            return (zip(shares, errors).reduce(0) { $0 + $1.0 * $1.1 }, shares)
        }
    }
}
