import Tuning
import Workflows

/// Shows a run's events on the terminal.
final class TrainingDisplay {
    private var bar: ProgressBar?
    /// The newest loss on the run's fixed samples.
    private(set) var evaluation: Double?

    func show(_ event: TrainingEvent) {
        switch event {
        case .started(let step, let steps):
            if step > 0 { standardError("resuming from step \(step)") }
            bar = ProgressBar("train", total: steps, unit: "steps", start: step)
        case .note(let note):
            standardError("note: \(note)")
        case .evaluation(let step, let loss):
            if step == 0 { standardError("evaluation loss before training \(formatted(loss, digits: 5))") }
            evaluation = loss
        case .epoch, .validation, .checkpoint:
            break
        case .step(let report):
            bar?.update(
                report.step,
                note: "loss \(formatted(report.loss, digits: 4))  grad \(formatted(report.gradientNorm, digits: 3))"
                    + (evaluation.map { "  evaluation \(formatted($0, digits: 5))" } ?? ""))
        }
    }

    func finish() {
        bar?.finish()
    }
}
