package import CorpusStore
package import Diffusion
import Synchronization

/// Brings Diffusion's estimators to the corpus, which knows traces only.
package struct TraceScores: TraceScoring {
    private let paper = MeanKappaEstimator(kappa: .paper)
    private let reference = MeanKappaEstimator(kappa: .reference)
    private let contrast = ContrastEstimator()
    private let schedules = Schedules()

    package init() {}

    package var identity: String {
        "\(paper.name)+\(reference.name), mean over t > \(paper.cutoff), version 1; rf+rf_cfg, version 1; "
            + "contrast, t > \(contrast.range.above), temperature \(contrast.temperature), version 1"
    }

    package func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double) {
        guard let schedule else { return (.nan, .nan, .nan) }
        let trace = MITrace(timesteps: timesteps.map(Int.init), deltaSquared: deltaSquared)
        let noise = schedules[schedule]
        let best = paper.estimate(trace, schedule: noise)
        return (best.value, best.standardError, reference.estimate(trace, schedule: noise).value)
    }

    package func scores(
        flow: FlowTrace, deltaSquared: [Float], guidance: Double
    ) -> (rf: Double, standardError: Double, guided: Double) {
        let trace = VelocityTrace(
            sigmas: flow.sigmas, velocityDelta: flow.velocityDelta, deltaSquared: deltaSquared)
        let plain = RectifiedFlowEstimator().estimate(trace)
        return (
            plain.value, plain.standardError, RectifiedFlowEstimator(guidance: guidance).estimate(trace).value
        )
    }

    package func scores(
        curves: ErrorCurves, timesteps: [Int32], draws: Int, schedule: ScheduleDescription
    ) -> CurveScores {
        let errors = DenoisingErrors(curves, timesteps: timesteps, draws: draws)
        let noise = schedules[schedule]
        let soft = contrast.estimate(errors, schedule: noise)
        return CurveScores(
            contrast: soft.value, contrastError: soft.standardError,
            contrastHard: HardContrastEstimator().estimate(errors, schedule: noise).value,
            pointwise: PointwiseEstimator().estimate(errors, schedule: noise).value)
    }
}

extension DenoisingErrors {
    /// As a score shard has them.
    package init(_ curves: ErrorCurves, timesteps: [Int32], draws: Int) {
        self.init(timesteps: timesteps.map(Int.init), draws: draws, prompts: curves.prompts, values: curves.errors)
    }
}

/// The schedule asked for last: millions of samples share one.
private final class Schedules: Sendable {
    private let last = Mutex<(description: ScheduleDescription, schedule: NoiseSchedule)?>(nil)

    subscript(_ description: ScheduleDescription) -> NoiseSchedule {
        if let known = last.withLock({ $0?.description == description ? $0?.schedule : nil }) { return known }
        let schedule = NoiseSchedule(SchedulerConfiguration(description))
        last.withLock { $0 = (description, schedule) }
        return schedule
    }
}

extension ScheduleDescription {
    package init(_ configuration: SchedulerConfiguration) {
        self.init(
            betaStart: configuration.betaStart, betaEnd: configuration.betaEnd,
            betaSchedule: configuration.betaSchedule, trainTimesteps: configuration.trainTimesteps,
            rescalesToZeroSNR: configuration.rescaleBetasZeroSNR)
    }
}

extension SchedulerConfiguration {
    package init(_ schedule: ScheduleDescription) {
        self.init()
        betaStart = schedule.betaStart
        betaEnd = schedule.betaEnd
        betaSchedule = schedule.betaSchedule
        trainTimesteps = schedule.trainTimesteps
        rescaleBetasZeroSNR = schedule.rescaleBetasZeroSNR ?? false
    }
}
