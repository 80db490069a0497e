import ArgumentParser
import Corpus
import Diffusion
import Foundation
import Tuning
import Workflows

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Fine-tune an adapter on a selection.",
        discussion: """
            An existing run resumes from its last checkpoint, to exactly the adapter that an uninterrupted run gives. \
            Killed at any moment, it loses the steps since its last checkpoint and no more.
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The selection to train on.")
    var selection: String

    @Option(help: "A model's folder in the diffusers layout.", completion: .directory)
    var model: String

    @OptionGroup var config: IgnoreConfigOptions

    @OptionGroup var copy: VariantOption

    @Option(name: .customLong("run"), help: "The run's name.")
    var runName: String

    @OptionGroup var adapter: AdapterOptions

    @Option(help: "Total optimizer steps.")
    var steps = 300

    @Option(help: "Batch size: samples per forward and backward pass.")
    var batch = 8

    @Option(help: "Gradient accumulation steps: batches per optimizer step.")
    var accumulate = 50

    @Option(name: .customLong("lr"), help: "Learning rate.")
    var learningRate = 1e-4

    @Option(help: "Steps between checkpoints.")
    var checkpointEvery = 10

    @Option(help: "Checkpoints to keep (default: all).")
    var keepCheckpoints: Int?

    @Option(help: "Seed of the adapter's start, of the order of samples, and of their noise.")
    var seed: UInt64 = 42

    @Option(help: "Samples whose loss is measured at each checkpoint, always with the same noise (0: none).")
    var evaluate = 0

    @Option(help: "Multiply each sample's loss by its score: a scorer of attune annotations, or mi, mc.")
    var weightBy: String?

    @Flag(help: "At every epoch, apply the selection's policy again to the corpus as it has grown.")
    var follow = false

    @Flag(help: "Recompute activations instead of keeping them: less memory, more time.")
    var gradientCheckpointing = false

    @Flag(
        help:
            "Keep fp16 and bf16 weights in 16 bits and upcast them on use: half the memory; the same bytes out with AVX-512, else the last bits may differ."
    )
    var lowMemory = false

    @OptionGroup var products: PrecisionOption

    @Flag(
        name: .customLong("allow-other-cpu"),
        help: "Resume a run on a processor or BLAS of other kind: the last bits of its adapter will differ.")
    var allowOtherCPU = false

    private var settings: TrainingConfiguration {
        var settings = TrainingConfiguration()
        adapter.apply(to: &settings)
        settings.steps = steps
        settings.batch = batch
        settings.accumulate = accumulate
        settings.optimizer.learningRate = learningRate
        settings.seed = seed
        settings.follow = follow
        settings.gradientCheckpointing = gradientCheckpointing
        settings.checkpointEvery = checkpointEvery
        settings.keepCheckpoints = keepCheckpoints
        settings.evaluationSamples = evaluate
        return settings
    }

    func validate() throws {
        if let problem = settings.problem { throw ValidationError(problem) }
    }

    func run() async throws {
        let corpus = try store.open(writing: true, deciding: true)
        let source = try CorpusTrainingSource(corpus: corpus, selection: selection, weights: weightBy)
        let model = try DiffusionModel.load(
            from: URL(fileURLWithPath: model), variant: copy.variant, lowMemory: lowMemory,
            precision: products.precision, ignoring: config.fields)
        var settings = settings
        if !model.ignoredFields.isEmpty { settings.ignoredFields = model.ignoredFields }
        settings.precision = model.recordedPrecision
        let start = try adapter.start(model, &settings)
        let run = RunFolder(corpus: corpus.folder, name: runName)
        Interruption.listen()
        let display = TrainingDisplay()
        let outcome = try Trainer(
            model: model, source: source, configuration: settings, run: run, start: start,
            computer: .current(version: attuneVersion, precision: model.precision), allowsOtherComputer: allowOtherCPU
        ).train(report: display.show, isCancelled: { Interruption.isRequested })
        display.finish()
        guard let adapter = outcome.adapter else {
            try Interruption.stop("stopped after step \(outcome.step) of \(steps); the same command resumes from there")
        }
        if let loss = display.evaluation { print("evaluation loss \(formatted(loss, digits: 5))") }
        print("run '\(runName)' made \(outcome.step) steps\nadapter \(adapter.file.path)\nsha256  \(adapter.digest)")
    }
}
