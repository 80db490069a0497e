import Diffusion
import Testing

@Suite struct RectifiedFlowEstimatorTests {
    private let trace = VelocityTrace(
        sigmas: [1, 0.8, 0.5, 0.2, 0.05], velocityDelta: [100, 4, 6, .nan, 100], deltaSquared: [100, 2, 1, .nan, 100])

    /// (1 − σ)/σ is 1/4 at 0.8 and 1 at 0.5; the ends and the step that was not guided do not count.
    @Test func theEndsAreLeftOut() {
        let estimate = RectifiedFlowEstimator().estimate(trace)
        #expect(abs(estimate.value - 3.5) < 1e-6)
        #expect(abs(estimate.standardError - 2.5) < 1e-6)
    }

    @Test func guidanceWeighsBothSums() {
        // 3·(4 − 2) + 9·2 = 24 and 3·(6 − 1) + 9·1 = 24.
        let estimate = RectifiedFlowEstimator(guidance: 3).estimate(trace)
        #expect(abs(estimate.value - (24 * 0.25 + 24) / 2) < 1e-5)
        #expect(RectifiedFlowEstimator(guidance: 3).name == "rf_cfg" && RectifiedFlowEstimator().name == "rf")
    }

    @Test func withoutUsableStepsThereIsNoEstimate() {
        let empty = VelocityTrace(sigmas: [1], velocityDelta: [1], deltaSquared: [1])
        #expect(RectifiedFlowEstimator().estimate(empty).value.isNaN)
        let one = VelocityTrace(sigmas: [0.5], velocityDelta: [2], deltaSquared: [1])
        #expect(RectifiedFlowEstimator().estimate(one).value == 2)
    }
}
