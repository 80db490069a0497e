import Foundation
package import Tensors

/// Adam with decoupled weight decay (arXiv 1711.05101), number for number as `torch.optim.AdamW`.
package struct AdamW: Sendable {
    package struct Settings: Codable, Sendable, Hashable {
        package var learningRate: Double
        package var beta1: Double
        package var beta2: Double
        package var epsilon: Double
        package var weightDecay: Double

        package init(
            learningRate: Double = 1e-4, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
            weightDecay: Double = 1e-2
        ) {
            self.learningRate = learningRate
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
        }
    }

    package let settings: Settings
    /// Updates made so far.
    package private(set) var step: Int
    /// Running means of the gradients and of their squares, in the order of the parameters.
    package private(set) var first: [Tensor]
    package private(set) var second: [Tensor]

    /// A fresh optimizer for parameters of these shapes.
    package init(settings: Settings, shapes: [[Int]]) {
        self.init(
            settings: settings, step: 0, first: shapes.map { Tensor(zeros: $0) },
            second: shapes.map { Tensor(zeros: $0) })
    }

    /// An optimizer as a checkpoint left it.
    package init(settings: Settings, step: Int, first: [Tensor], second: [Tensor]) {
        self.settings = settings
        self.step = step
        self.first = first
        self.second = second
    }

    /// The parameters after one step along `gradients`, each multiplied by `clip` first.
    ///
    /// - Parameter learningRate: the step's; nil for that of the settings.
    package mutating func update(
        _ parameters: [Tensor], gradients: [Tensor], clip: Float = 1, learningRate: Double? = nil
    ) -> [Tensor] {
        precondition(parameters.count == gradients.count && parameters.count == first.count, "one gradient each")
        step += 1
        let now = AdamWStep(
            learningRate: Float(learningRate ?? settings.learningRate), beta1: Float(settings.beta1),
            beta2: Float(settings.beta2),
            epsilon: Float(settings.epsilon), weightDecay: Float(settings.weightDecay),
            correction1: Float(1 - pow(settings.beta1, Double(step))),
            correction2: Float(1 - pow(settings.beta2, Double(step))), clip: clip)
        let updated = Parallel.map(parameters.count) { index in
            now.moved(parameters[index], along: gradients[index], first: first[index], second: second[index])
        }
        first = updated.map(\.first)
        second = updated.map(\.second)
        return updated.map(\.value)
    }
}
