import Foundation
import Tuning

/// A run's loss over its steps.
enum LossReport {
    static func plot(_ run: RunFolder) throws -> LinePlot {
        // After a resume the log has some steps twice; both say the same.
        var losses: [Int: Double] = [:]
        var evaluations: [Int: Double] = [:]
        for entry in try RunLog.read(run.log) {
            if case .step(let step) = entry { losses[step.step] = step.loss }
            if case .evaluation(let measured) = entry { evaluations[measured.step] = measured.loss }
        }
        if evaluations.count > 1 {
            let steps = evaluations.keys.sorted()
            return LinePlot(
                title: "Loss of run \(run.name) on fixed samples and noise", axis: "step", positions: steps,
                lines: [.init(values: steps.compactMap { evaluations[$0] }, isMarked: true)])
        }
        let steps = losses.keys.sorted()
        guard !steps.isEmpty else {
            throw Failure("\(run.log.path): has no steps; give --run the name of a run that attune train has begun")
        }
        let values = steps.compactMap { losses[$0] }
        return LinePlot(
            title: "Loss of run \(run.name), and its mean over ten steps in red", axis: "step", positions: steps,
            lines: [.init(values: values, isMarked: false), .init(values: smoothed(values, over: 10), isMarked: true)])
    }

    /// The mean of each value and those before it.
    static func smoothed(_ values: [Double], over window: Int) -> [Double] {
        values.indices.map { index in
            let part = values[max(0, index - window + 1)...index]
            return part.reduce(0, +) / Double(part.count)
        }
    }
}
