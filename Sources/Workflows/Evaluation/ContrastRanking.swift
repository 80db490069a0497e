import Diffusion

/// What images of a prompt are told apart by while they are measured: contrast, less a part of the log of the error under the
/// prompt.
package struct ContrastRanking: Sendable, Equatable {
    /// ``ContrastEstimator/errorWeight``.
    package let errorWeight: Double

    package init(errorWeight: Double = 0) { self.errorWeight = errorWeight }

    /// - Parameter text: `contrast` or `contrast:error=0.3`, as ``ScoreForm`` has it; nil for anything else, also for other
    ///   settings: where it is measured is up to what measures.
    package init?(_ text: String) {
        if text == "contrast" {
            self.init()
            return
        }
        guard let estimator = try? ScoreForm(text).contrast,
            estimator == ContrastEstimator(errorWeight: estimator.errorWeight)
        else { return nil }
        self.init(errorWeight: estimator.errorWeight)
    }

    /// As records have it.
    package var text: String { errorWeight == 0 ? "contrast" : "contrast:error=\(errorWeight)" }
}
