package import Diffusion
import Tensor

/// Fine-tunes an adapter on a selection, as a run that can be killed at any moment and resumed exactly.
package struct Trainer {
    private let model: DiffusionModel
    private let source: any TrainingSource
    private let configuration: TrainingConfiguration
    private let run: RunFolder
    private let start: Adapter?
    private let computer: RunComputer
    private let allowsOtherComputer: Bool

    /// - Parameters:
    ///   - model: stays frozen.
    ///   - source: the selection and its samples.
    ///   - configuration: the user's choices.
    ///   - run: the run's folder.
    ///   - start: the adapter to begin with, of the configuration's kind, rank and alpha; nil for a fresh one.
    ///   - computer: what computes, for the run's log.
    ///   - allowsOtherComputer: whether a run may resume with arithmetic of other last bits.
    package init(
        model: DiffusionModel, source: any TrainingSource, configuration: TrainingConfiguration, run: RunFolder,
        start: Adapter? = nil, computer: RunComputer = .current(), allowsOtherComputer: Bool = false
    ) {
        self.model = model
        self.source = source
        self.configuration = configuration
        self.run = run
        self.start = start
        self.computer = computer
        self.allowsOtherComputer = allowsOtherComputer
    }

    /// Trains until the configured number of steps is made, from the newest checkpoint of the run if there is one.
    ///
    /// - Parameters:
    ///   - report: told of each event, on the caller's thread.
    ///   - isCancelled: asked before each step; on true a checkpoint is written and the run ends.
    package func train(
        report: (TrainingEvent) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws(TrainingError) -> TrainingOutcome {
        let (state, lock) = try TrainingState.open(
            model: model, source: source, configuration: configuration, run: run, start: start,
            computer: computer, allowsOtherComputer: allowsOtherComputer, report: report)
        defer { withExtendedLifetime(lock) {} }
        report(.started(step: state.step, of: configuration.steps))

        let clock = ContinuousClock()
        let begin = clock.now
        let startStep = state.step
        if startStep == 0 { try state.evaluate(report: report) }
        while state.step < configuration.steps {
            if isCancelled() {
                if state.step > startStep { try state.checkpoint(report: report) }
                return TrainingOutcome(step: state.step, adapter: nil)
            }
            let (loss, norm) = try state.advance(report: report)
            let seconds = (clock.now - begin) / .seconds(1)
            report(
                .step(
                    StepReport(
                        step: state.step, steps: configuration.steps, loss: loss, gradientNorm: norm,
                        stepsPerSecond: Double(state.step - startStep) / max(seconds, 1e-9))))
            if state.step % configuration.checkpointEvery == 0 || state.step == configuration.steps {
                // Logged before the checkpoint, so that a resumed run need not measure it again.
                try state.evaluate(report: report)
                try state.checkpoint(report: report)
            }
        }
        return TrainingOutcome(step: state.step, adapter: try state.finish())
    }
}
