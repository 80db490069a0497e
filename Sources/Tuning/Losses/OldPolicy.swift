package import Tensors

/// The old policy of DiffusionNFT (arXiv 2509.16117, section 3.3), which follows the trained one: θ_old ← η·θ_old + (1−η)·θ.
///
/// η rises from 0, where the old policy is the trained one at once, to a limit: min(rise·(s − flat), most) after s steps, and
/// 0 up to `flat`. The authors' code has 0.001, 0.5 and 0, or 0.0075, 0.999 and 75.
package struct OldPolicy: Sendable {
    package struct Schedule: Codable, Sendable, Hashable {
        /// The largest η.
        package var most: Double
        /// What η grows by in a step.
        package var rise: Double
        /// Steps before η grows.
        package var flat: Int
        /// Steps between updates.
        package var every: Int

        /// The authors' first schedule.
        package init(most: Double = 0.5, rise: Double = 0.001, flat: Int = 0, every: Int = 1) {
            (self.most, self.rise, self.flat, self.every) = (most, rise, flat, every)
        }

        /// η at an update.
        ///
        /// - Parameter step: steps made, from 1.
        package func decay(after step: Int) -> Double {
            step < flat ? 0 : min(Double(step - flat) * rise, most)
        }

        /// The first thing that makes it unusable, or nil.
        var problem: String? {
            if !(most >= 0 && most < 1) { return "policy-decay is \(most); it must be from 0 to below 1, 0.5 is usual" }
            if !(rise > 0 && rise <= 1) { return "policy-rise is \(rise); it must be above 0, and 1 at most" }
            if !(0...1_000_000_000).contains(flat) { return "policy-flat is \(flat); it must be a number of steps" }
            if !(1...1_000_000_000).contains(every) { return "policy-every is \(every); it must be at least 1" }
            return nil
        }

        /// As a run is bound to it.
        var description: String { "\(most), rise \(rise), flat \(flat), every \(every)" }
    }

    package let schedule: Schedule
    /// In the order of the parameters.
    package private(set) var values: [Tensor]

    package init(_ schedule: Schedule, values: [Tensor]) { (self.schedule, self.values) = (schedule, values) }

    /// Follows the trained policy where it is time to.
    ///
    /// - Parameters:
    ///   - current: the parameters after a step.
    ///   - step: steps made, this one included.
    /// - Returns: whether it changed.
    package mutating func follow(_ current: [Tensor], step: Int) -> Bool {
        guard step.isMultiple(of: schedule.every) else { return false }
        let kept = schedule.decay(after: step)
        let old = values
        values =
            kept == 0
            ? current : Parallel.map(old.count) { old[$0] * Float(kept) + current[$0] * Float(1 - kept) }
        return true
    }
}
