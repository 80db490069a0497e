import Tuning

/// Shows a run's events on the terminal.
final class TrainingDisplay {
    private var bar: ProgressBar?

    func show(_ event: TrainingEvent) {
        switch event {
        case .started(let step, let steps):
            if step > 0 { standardError("going on from step \(step)") }
            bar = ProgressBar("train", total: steps, unit: "steps", start: step)
        case .note(let note):
            standardError("note: \(note)")
        case .epoch, .checkpoint:
            break
        case .step(let report):
            bar?.update(
                report.step,
                note: "loss \(formatted(report.loss, digits: 4))  grad \(formatted(report.gradientNorm, digits: 3))")
        }
    }

    func finish() {
        bar?.finish()
    }
}
