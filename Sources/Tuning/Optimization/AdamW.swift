import CKernels
import Foundation
package import Tensor

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

    /// A fresh optimiser for parameters of these shapes.
    package init(settings: Settings, shapes: [[Int]]) {
        self.init(
            settings: settings, step: 0, first: shapes.map { Tensor(zeros: $0) },
            second: shapes.map { Tensor(zeros: $0) })
    }

    /// An optimiser as a checkpoint left it.
    package init(settings: Settings, step: Int, first: [Tensor], second: [Tensor]) {
        self.settings = settings
        self.step = step
        self.first = first
        self.second = second
    }

    /// The parameters after one step along `gradients`, each multiplied by `clip` first.
    package mutating func update(_ parameters: [Tensor], gradients: [Tensor], clip: Float = 1) -> [Tensor] {
        precondition(parameters.count == gradients.count && parameters.count == first.count, "one gradient each")
        step += 1
        let updated = parallelMap(parameters.count) { index in
            moved(parameters[index], along: gradients[index], clip: clip, first: first[index], second: second[index])
        }
        first = updated.map(\.first)
        second = updated.map(\.second)
        return updated.map(\.value)
    }

    /// One parameter after the present step, in new memory: the old values may be in use elsewhere.
    private func moved(
        _ value: Tensor, along gradient: Tensor, clip: Float, first: Tensor, second: Tensor
    ) -> (value: Tensor, first: Tensor, second: Tensor) {
        var (newFirst, newSecond) = (first, second)
        let newValue = Tensor(shape: value.shape) { newValue in
            newFirst = Tensor(shape: value.shape) { newFirst in
                newSecond = Tensor(shape: value.shape) { newSecond in
                    let (value, gradient, first, second) = (
                        Values(value), Values(gradient), Values(first), Values(second)
                    )
                    let (newValue, newFirst, newSecond) = (Target(newValue), Target(newFirst), Target(newSecond))
                    ck_adamw(
                        value.pointer, gradient.pointer, first.pointer, second.pointer, newValue.pointer,
                        newFirst.pointer, newSecond.pointer, newValue.count, clip, Float(settings.learningRate),
                        Float(settings.beta1), Float(settings.beta2), Float(settings.epsilon),
                        Float(settings.weightDecay), Float(1 - pow(settings.beta1, Double(step))),
                        Float(1 - pow(settings.beta2, Double(step))))
                }
            }
        }
        return (newValue, newFirst, newSecond)
    }
}
