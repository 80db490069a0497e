package import Diffusion
import Tensors

/// Fine-tunes an adapter, or a whole UNet, on a selection, as a run that can be killed at any moment and resumed exactly.
///
/// ```swift
/// let source = try CorpusTrainingSource(corpus: corpus, selection: "best")
/// let trainer = Trainer(
///     model: model, source: source, configuration: TrainingConfiguration(),
///     run: RunFolder(corpus: corpus.folder, name: "first"))
/// let outcome = try trainer.train { event in print(event) }
/// ```
package struct Trainer {
    private let inputs: TrainingInputs

    package init(_ inputs: TrainingInputs) { self.inputs = inputs }

    /// - Parameters:
    ///   - model: stays frozen, unless all of its weights are trained.
    ///   - source: the selection and its samples.
    ///   - configuration: the user's choices.
    ///   - run: the run's folder.
    package init(
        model: DiffusionModel, source: any TrainingSource, configuration: TrainingConfiguration, run: RunFolder
    ) {
        self.init(TrainingInputs(model: model, source: source, configuration: configuration, run: run))
    }

    /// Trains until the configured number of steps is made, from the newest checkpoint of the run if there is one.
    ///
    /// - Parameters:
    ///   - report: told of each event, on the caller's thread.
    ///   - isCancelled: asked before each step; on true a checkpoint is written and the run ends.
    package func train(
        report: (TrainingEvent) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws(TrainingError) -> TrainingOutcome {
        let configuration = inputs.configuration
        let ranks = TrainingRanks(inputs.ranks)
        try ranks.agree(inputs)
        let (state, lock) = try TrainingState.open(inputs, ranks: ranks, report: report)
        defer { withExtendedLifetime(lock) {} }
        report(.started(step: state.step, of: configuration.steps))

        let clock = ContinuousClock()
        let begin = clock.now
        let startStep = state.step
        let interval = configuration.validateEvery ?? configuration.checkpointEvery
        if startStep % interval == 0 { try state.validate(report: report, isCancelled: isCancelled) }
        while state.step < configuration.steps {
            // All ranks stop after the same step.
            if try ranks.any(isCancelled()) {
                if state.step > startStep { try state.checkpoint(report: report) }
                return TrainingOutcome(step: state.step, made: nil)
            }
            let (loss, norm) = try state.advance(report: report)
            let seconds = (clock.now - begin) / .seconds(1)
            report(
                .step(
                    StepReport(
                        step: state.step, steps: configuration.steps, loss: loss, gradientNorm: norm,
                        stepsPerSecond: Double(state.step - startStep) / max(seconds, 1e-9))))
            let isLast = state.step == configuration.steps
            // Logged before the checkpoint, so that a resumed run need not measure it again.
            if isLast || state.step % interval == 0 { try state.validate(report: report, isCancelled: isCancelled) }
            if isLast || state.step % configuration.checkpointEvery == 0 { try state.checkpoint(report: report) }
        }
        return TrainingOutcome(step: state.step, made: try state.finish())
    }
}
