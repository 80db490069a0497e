package import Tensors

/// An exponential moving average of the trained values (Polyak averaging), as diffusers' `EMAModel` has it: its decay
/// rises with the steps, (1 + s)/(10 + s), up to the one asked for, so that a short run's average is not its start.
package struct MovingAverage: Sendable {
    /// The largest decay.
    package let decay: Double
    /// In the order of the parameters.
    package private(set) var values: [Tensor]

    package init(decay: Double, values: [Tensor]) { (self.decay, self.values) = (decay, values) }

    /// Averages the values after a step in.
    ///
    /// - Parameters:
    ///   - values: the parameters.
    ///   - step: updates made, this one included, from 1.
    package mutating func add(_ values: [Tensor], step: Int) {
        let kept = Self.decay(after: step, limit: decay)
        let old = self.values
        self.values = Parallel.map(values.count) { old[$0] * Float(kept) + values[$0] * Float(1 - kept) }
    }

    /// What the average keeps of itself at a step, from 1.
    package static func decay(after step: Int, limit: Double) -> Double {
        let made = Double(max(step - 1, 0))
        return made == 0 ? 0 : min(limit, (1 + made) / (10 + made))
    }
}
