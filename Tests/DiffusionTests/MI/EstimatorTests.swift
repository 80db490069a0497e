import Diffusion
import Tensor
import Testing

@Suite("MI estimators")
struct EstimatorTests {
    private var schedule: NoiseSchedule {
        var configuration = SchedulerConfiguration()
        (configuration.betaStart, configuration.betaEnd) = (0.00085, 0.012)
        configuration.betaSchedule = "scaled_linear"
        return NoiseSchedule(configuration)
    }

    /// A trace in which every step's term κ_t·δ_t is the given number.
    private func trace(_ terms: [(t: Int, term: Float)], _ kappa: Kappa) -> MITrace {
        MITrace(
            timesteps: terms.map(\.t), deltaSquared: terms.map { $0.term / kappa.weight($0.t, schedule) })
    }

    @Test(arguments: Kappa.allCases)
    func meanAndStandardErrorOfTheTerms(kappa: Kappa) {
        let estimate = MeanKappaEstimator(kappa: kappa).estimate(
            trace([(901, 2), (501, 4), (301, 6), (101, 8)], kappa), schedule: schedule)
        #expect(abs(estimate.value - 5) < 1e-5)
        // Sample variance of 2, 4, 6, 8 is 20/3.
        #expect(abs(estimate.standardError - (20.0 / 3 / 4).squareRoot()) < 1e-5)
    }

    @Test func stepsAtAndBelowTheCutAreLeftOut() {
        let kept = trace([(901, 2), (51, 4), (50, 1000), (1, 1000)], .paper)
        #expect(abs(MeanKappaEstimator().estimate(kept, schedule: schedule).value - 3) < 1e-5)
    }

    @Test func unguidedStepsAreLeftOut() {
        let whole = trace([(901, 2), (501, 4)], .paper)
        let holed = MITrace(
            timesteps: [901, 701, 501], deltaSquared: [whole.deltaSquared[0], .nan, whole.deltaSquared[1]])
        let estimator = MeanKappaEstimator()
        #expect(estimator.estimate(holed, schedule: schedule) == estimator.estimate(whole, schedule: schedule))
    }

    @Test func tooFewStepsGiveNaN() {
        let one = MeanKappaEstimator().estimate(trace([(901, 2)], .paper), schedule: schedule)
        #expect(abs(one.value - 2) < 1e-5)
        #expect(one.standardError.isNaN)
        let none = MeanKappaEstimator().estimate(trace([(10, 2)], .paper), schedule: schedule)
        #expect(none.value.isNaN)
    }

    @Test func paperIsReferenceOverAlpha() {
        let schedule = schedule
        for t in [0, 51, 500, 999] {
            let ratio = Kappa.paper.weight(t, schedule) / Kappa.reference.weight(t, schedule)
            #expect(abs(ratio - 1 / schedule.alphas[t]) < 1e-6)
        }
    }
}
