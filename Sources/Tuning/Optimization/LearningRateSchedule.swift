import Foundation

/// How the learning rate goes over a run, as diffusers' `get_scheduler` has it: a linear rise from zero, then constant, or
/// down to zero at the run's end.
package struct LearningRateSchedule: Codable, Sendable, Hashable {
    package enum Shape: String, Codable, Sendable, CaseIterable {
        case constant
        case linear
        /// Half a period.
        case cosine
    }

    package var shape: Shape
    /// Steps of the rise.
    package var warmup: Int

    package init(_ shape: Shape, warmup: Int = 0) { (self.shape, self.warmup) = (shape, warmup) }

    /// Whether the factors depend on how many steps there are in all.
    package var needsTotal: Bool { shape != .constant }

    /// What the learning rate is multiplied by.
    ///
    /// - Parameters:
    ///   - step: updates made before, from 0.
    ///   - total: the run's steps.
    package func factor(_ step: Int, of total: Int) -> Double {
        if step < warmup { return Double(step) / Double(max(warmup, 1)) }
        let progress = Double(step - warmup) / Double(max(total - warmup, 1))
        return switch shape {
        case .constant: 1
        case .linear: max(0, 1 - progress)
        case .cosine: max(0, 0.5 * (1 + cos(.pi * progress)))
        }
    }
}
