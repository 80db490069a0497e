package import Cluster
package import CorpusStore
import Diffusion
package import Foundation
import Tensors
package import Tuning

/// `attune train` as a function: a selection of a corpus and a model folder to an adapter, or a model.
package struct TrainingWorkflow {
    package var corpus: Corpus
    package var selection: String
    /// The model to train, without an adapter.
    package var model: ModelSource
    package var runName: String
    package var configuration: TrainingConfiguration
    /// The scorer whose values the loss asks for, as weights or to compare images by.
    package var score: String?
    /// The adapter to begin with.
    package var warmStart: URL?
    package var negatives: NegativePrompts?
    package var validation: ValidationImages?
    package var writesEvents = false
    /// What computes on the CPU; with another device the run notes that.
    package var computer = RunComputer.current()
    package var allowsOtherComputer = false
    /// The processes that train together; nil for this one alone.
    package var ranks: (any RankGroup)?

    package init(
        corpus: Corpus, selection: String, model: ModelSource, runName: String, configuration: TrainingConfiguration
    ) {
        (self.corpus, self.selection, self.model) = (corpus, selection, model)
        (self.runName, self.configuration) = (runName, configuration)
    }

    /// Trains until the configured number of steps is made, from the run's newest checkpoint if there is one.
    ///
    /// - Throws: ``UsageError`` for settings that do not fit each other, and the errors of corpus, model and run.
    /// - Parameters:
    ///   - report: told of each event, on the caller's thread.
    ///   - isCancelled: asked before each step; on true a checkpoint is written and the run ends.
    package func run(
        report: (TrainingEvent) -> Void = { _ in }, isCancelled: () -> Bool = { false }
    ) throws -> TrainingOutcome {
        var configuration = configuration
        if let problem = configuration.problem ?? scoreProblem { throw UsageError(problem) }
        if configuration.targets == .all && model.precision.dtype != .float32 {
            throw UsageError(
                "--precision \(model.precision.rawValue) is for frozen weights, and --targets all trains every one of them: "
                    + "leave one of the two out")
        }
        configuration.loss = configuration.loss ?? LossSettings(score == nil ? .denoise : .weighted)
        if configuration.loss?.kind == .contrast { configuration.loss?.negativesDigest = negatives?.digest }
        let compares = [.dpo, .nft].contains(configuration.loss?.kind)
        let source = try CorpusTrainingSource(
            corpus: corpus, selection: selection, weights: compares ? nil : score, comparison: compares ? score : nil)
        let models = try model.loadAll(for: .noising).models
        let loaded = models[0]
        if models.count > 1, ranks != nil {
            throw UsageError("--device \(model.device): with mpirun each rank has one device of its own; name one")
        }
        if !loaded.ignoredFields.isEmpty { configuration.ignoredFields = loaded.ignoredFields }
        configuration.precision = loaded.recordedPrecision
        var start: Adapter?
        if let warmStart { start = try WarmStart.adapter(at: warmStart, for: loaded, &configuration) }
        var inputs = TrainingInputs(
            model: loaded, source: source, configuration: configuration,
            run: RunFolder(corpus: corpus.folder, name: runName))
        (inputs.start, inputs.negatives, inputs.validation) = (start, negatives, validation)
        (inputs.variant, inputs.writesEvents) = (model.variant, writesEvents)
        inputs.computer =
            loaded.device == .cpu
            ? computer : .current(version: computer.attune, precision: loaded.precision, device: loaded.device)
        inputs.allowsOtherComputer = allowsOtherComputer
        inputs.ranks = ranks
        inputs.replicas = Array(models.dropFirst())
        return try Trainer(inputs).train(report: report, isCancelled: isCancelled)
    }

    /// Why loss and score do not fit each other, or nil.
    private var scoreProblem: String? {
        switch (configuration.loss?.kind, score) {
        case (.weighted, nil): "--loss weighted multiplies each sample's loss by its score; name one with --weight-by"
        case (.dpo, nil): "--loss dpo pairs images of one prompt by a score; name one with --pairs-by"
        case (.nft, nil): "--loss nft takes a score as reward; name one with --reward-by"
        case (.denoise, _?), (.contrast, _?):
            "--loss \(configuration.loss?.kind.rawValue ?? "") uses no score; leave --weight-by, --pairs-by and --reward-by out"
        default: nil
        }
    }
}
