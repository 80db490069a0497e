import ArgumentParser
import Cluster
import CorpusStore
import Diffusion
import Foundation
import Tuning
import Workflows

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Fine-tune an adapter, or all weights, on a selection.",
        discussion: """
            An existing run resumes from its last checkpoint, to exactly the adapter that an uninterrupted run gives. \
            Killed at any moment, it loses the steps since its last checkpoint and no more. docs/training.md says what each \
            loss minimizes and when to use it.
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

    @OptionGroup var optimization: OptimizationOptions
    @OptionGroup var loss: LossOptions
    @Option(help: "Steps between checkpoints.")
    var checkpointEvery = 10

    @Option(help: "Checkpoints to keep (default: all).")
    var keepCheckpoints: Int?

    @Option(help: "Seed of the adapter's start, of the order of samples, and of their noise.")
    var seed: UInt64 = 42

    @OptionGroup var validation: ValidationOptions
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

    @OptionGroup var place: DeviceOptions

    @Flag(
        name: .customLong("allow-other-cpu"),
        help: "Resume a run on a processor or BLAS of other kind: the last bits of its adapter will differ.")
    var allowOtherCPU = false

    @OptionGroup var stop: StopOptions

    @OptionGroup var output: OutputOptions

    private func settings() throws -> TrainingConfiguration {
        var settings = TrainingConfiguration()
        adapter.apply(to: &settings)
        optimization.apply(to: &settings)
        try loss.apply(to: &settings)
        validation.apply(to: &settings)
        settings.steps = steps
        settings.batch = batch
        settings.accumulate = accumulate
        settings.seed = seed
        settings.follow = follow
        settings.gradientCheckpointing = gradientCheckpointing
        settings.checkpointEvery = checkpointEvery
        settings.keepCheckpoints = keepCheckpoints
        return settings
    }

    func validate() throws {
        if let problem = try settings().problem { throw ValidationError(problem) }
    }

    func run() async throws {
        let ranks: MPIGroup?
        do throws(RankError) {
            ranks = try MPIGroup.launched(ProcessInfo.processInfo.environment)
        } catch { throw Failure(error.description) }
        guard let ranks else { return try train(nil) }
        do {
            try train(ranks)
            try ranks.leave()
        } catch let code as ExitCode {
            try ranks.leave()
            throw code
        } catch {
            end(ranks, error)
        }
    }

    private func train(_ ranks: MPIGroup?) throws {
        var source = ModelSource(folder: URL(fileURLWithPath: model))
        (source.variant, source.lowMemory, source.ignoredFields) = (copy.variant, lowMemory, config.ignoreConfig)
        (source.precision, source.device) = (products.precision, place.choice)
        var training = TrainingWorkflow(
            corpus: try store.open(writing: true, deciding: true), selection: selection, model: source,
            runName: runName, configuration: try settings())
        training.score = loss.score
        training.negatives = try loss.negativePrompts()
        training.warmStart = adapter.warmStart.map { URL(fileURLWithPath: $0) }
        training.validation = try validation.images()
        training.writesEvents = validation.writesEvents
        training.computer = .current(version: attuneVersion, precision: products.precision)
        training.allowsOtherComputer = allowOtherCPU
        training.ranks = ranks
        let shows = (ranks?.rank ?? 0) == 0
        if let ranks, shows { standardError("training on \(ranks.size) ranks, by \(MPIGroup.version)") }
        stop.begin()
        Interruption.listen()
        let display = TrainingDisplay()
        let outcome = try training.run(
            report: { if shows { display.show($0) } }, isCancelled: { Interruption.isRequested })
        guard shows else {
            if outcome.step < steps { throw Interruption.status.code }
            return
        }
        display.finish()
        guard let made = outcome.made else {
            try Interruption.stop("stopped after step \(outcome.step) of \(steps); the same command resumes from there")
        }
        let (kind, name) = adapter.targets == .all ? ("model  ", "digest ") : ("adapter", "sha256 ")
        let loss = display.evaluation.map { "evaluation loss \(formatted($0, digits: 5))\n" } ?? ""
        try output.print(
            Trained(
                run: runName, steps: outcome.step, evaluationLoss: display.evaluation,
                kind: adapter.targets == .all ? "model" : "adapter", path: made.place.path, digest: made.digest),
            loss + "run '\(runName)' made \(outcome.step) steps\n\(kind) \(made.place.path)\n\(name) \(made.digest)")
    }

    private struct Trained: Encodable {
        let run: String
        let steps: Int
        let evaluationLoss: Double?
        /// `adapter` or `model`.
        let kind: String
        let path, digest: String
    }

    /// Ends all ranks with one of them, which the others would wait for. What all of them find wrong the first one says.
    private func end(_ ranks: MPIGroup, _ error: any Error) -> Never {
        if ranks.rank > 0 { Thread.sleep(forTimeInterval: 2) }
        standardError("attune: rank \(ranks.rank) of \(ranks.size): \(joinedLines("\(error)"))")
        StandardOutput.flush()
        let status = error is UsageError ? ExitStatus.usage : .failure
        ranks.abort(status.rawValue)
        _exit(status.rawValue)
    }
}
