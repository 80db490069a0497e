import Diffusion
import Foundation
import Tensors
import Testing

@Suite struct MeanKappaEstimatorTests {
    private let schedule: NoiseSchedule

    init() throws {
        schedule = NoiseSchedule(try SchedulerConfiguration(folder: Goldens.tinySD.appending(path: "scheduler")))
    }

    /// From the stored series alone, without the networks.
    @Test(arguments: [0, 1, 2])
    func followsTheReference(index: Int) throws {
        let golden = try Goldens.file("tiny-generate-\(index)")
        let timesteps = try golden.integers("timesteps")
        let delta = try golden.tensor("delta_sq").values
        for (row, expected) in try golden.tensor("mi").values.enumerated() {
            let series = Array(delta[row * timesteps.count..<(row + 1) * timesteps.count])
            let trace = MITrace(timesteps: timesteps, deltaSquared: series)
            let made = MeanKappaEstimator(kappa: .reference).estimate(trace, schedule: schedule)
            #expect(abs(made.value / Double(expected) - 1) < 1e-4)
            #expect(made.standardError > 0 && made.standardError < made.value)
        }
    }

    /// Two steps of κ·1 and κ·3 have the mean 2κ and the standard error κ.
    @Test func skipsWhatIsBelowTheCutOrMissing() {
        let trace = MITrace(timesteps: [500, 500, 400, 50, 1], deltaSquared: [1, 3, .nan, 1e9, 1e9])
        let kappa = Double(Kappa.paper.weight(500, schedule))
        let made = MeanKappaEstimator().estimate(trace, schedule: schedule)
        #expect(abs(made.value - 2 * kappa) < 1e-9 && abs(made.standardError - kappa) < 1e-9)
        #expect(Kappa.paper.weight(500, schedule) > Kappa.reference.weight(500, schedule))
    }

    @Test func tooLittleIsNotANumber() {
        let estimator = MeanKappaEstimator(kappa: .reference)
        let none = estimator.estimate(MITrace(timesteps: [50], deltaSquared: [1]), schedule: schedule)
        #expect(none.value.isNaN && none.standardError.isNaN)
        let one = estimator.estimate(MITrace(timesteps: [51], deltaSquared: [1]), schedule: schedule)
        #expect(one.value > 0 && one.standardError.isNaN)
    }
}
