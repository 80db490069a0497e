import Corpus
import Diffusion

/// Brings Diffusion's estimators to the corpus, which knows traces only.
struct TraceScores: TraceScoring {
    private let paper = MeanKappaEstimator(kappa: .paper)
    private let reference = MeanKappaEstimator(kappa: .reference)

    var identity: String { "\(paper.name)+\(reference.name), mean over t > \(paper.cutoff), version 1" }

    func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double) {
        guard let schedule else { return (.nan, .nan, .nan) }
        let trace = MITrace(timesteps: timesteps.map(Int.init), deltaSquared: deltaSquared)
        let noise = NoiseSchedule(SchedulerConfiguration(schedule))
        let best = paper.estimate(trace, schedule: noise)
        return (best.value, best.standardError, reference.estimate(trace, schedule: noise).value)
    }
}

extension ScheduleDescription {
    init(_ configuration: SchedulerConfiguration) {
        self.init(
            betaStart: configuration.betaStart, betaEnd: configuration.betaEnd,
            betaSchedule: configuration.betaSchedule, trainTimesteps: configuration.trainTimesteps)
    }
}

extension SchedulerConfiguration {
    init(_ schedule: ScheduleDescription) {
        self.init()
        betaStart = schedule.betaStart
        betaEnd = schedule.betaEnd
        betaSchedule = schedule.betaSchedule
        trainTimesteps = schedule.trainTimesteps
    }
}
