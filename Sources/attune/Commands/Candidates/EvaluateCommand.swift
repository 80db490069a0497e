import ArgumentParser
import Diffusion
import Foundation
import Workflows

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure whether images show what their prompts ask for.",
        discussion: """
            With --prompts and --model, images of the model, alone and with each --adapter, are made from the same seeds at \
            each scale of --guidance, as samples of the corpus; what is there is not made again. Printed are every score's \
            mean with a 95 % bootstrap interval over prompts, differences paired by prompt, the best guidance of each, and \
            how well each score ranks within prompts as the referee does. The report is kept in the corpus, as \
            evaluations/NAME.json. With --part, this command makes and measures its share; the last part to finish, or the \
            same command without --part, makes the report.

            With --images, the images of an imagefolder are judged. With neither, the scores of stored images (--where) are \
            compared with the referee. A score is a column, an annotation, or an estimate from what attune score has \
            measured: contrast:tau=1,above=300 (docs/evaluation.md).
            """)

    @OptionGroup var store: CorpusOptions

    @Option(help: "A model's folder in the diffusers layout.", completion: .directory)
    var model: String?

    @OptionGroup var copy: VariantOption

    @Flag(help: "Keep fp16 and bf16 weights in 16 bits and upcast them on use.")
    var lowMemory = false

    @OptionGroup var products: PrecisionOption

    @OptionGroup var place: DeviceOptions

    @OptionGroup var config: IgnoreConfigOptions

    @Option(
        help: ArgumentHelp("An adapter to evaluate beside the model; may be given again.", valueName: "[name=]file"),
        completion: .file(extensions: ["safetensors"]))
    var adapter: [String] = []

    @Option(
        help: "A file of prompts, one per line; a category may follow behind a tab.", completion: .file())
    var prompts: String?

    @Option(help: "Images per prompt, model and guidance scale.")
    var imagesPerPrompt = 6

    @Option(help: "Scales of guidance, separated by commas.")
    var guidance = ScaleList([3])

    @Option(help: "Denoising steps.")
    var steps = 25

    @Option(help: SamplerKind.help)
    var sampler = SamplerKind.ddim

    @Option(help: "The seed of each prompt's first image; with --seeds own added to one that follows from the prompt.")
    var seed: UInt64 = 42

    @Option(
        help: ArgumentHelp(
            "Whether each prompt has seeds of its own, or all have the same and so share their noise, which intervals over prompts do not hold.",
            valueName: "own|shared"))
    var seeds = CandidateSeeds.own

    @Option(help: "Batch size: images that are made together.")
    var batch = 16

    @Option(help: "The tag of the samples.")
    var tag = "evaluation"

    @Option(help: "An imagefolder to judge.", completion: .directory)
    var images: String?

    @Option(help: "The column of --images that prompts are in.")
    var textColumn = "text"

    @Option(name: .customLong("where"), help: "An SQL condition for stored images, as query takes.")
    var condition: String?

    @Option(
        help: ArgumentHelp(
            "What says whether an image is right: shapes (the judge of that benchmark), or a column or annotation.",
            valueName: "shapes|column"))
    var referee: String?

    @Option(help: "A score to report beside those that all images have; may be given again.")
    var score: [String] = []

    @Option(
        help: ArgumentHelp(
            "Measure contrastive MI by the model without adapter: near misses by rules, of the corpus, or from a file.",
            valueName: "rules|corpus|file"))
    var negatives: NearMissArgument?

    @Option(help: "Near misses per prompt, at most.")
    var count = 6

    @Option(help: "Noise samples per timestep, for --negatives.")
    var draws = 1

    @Option(
        help: ArgumentHelp(
            "Measure quality too: the Fréchet distance of latents to those of the real images that fit this SQL condition, such as \"tag = 'rendered'\".",
            valueName: "condition"))
    var reference: String?

    @Option(
        help: ArgumentHelp(
            "Write plots into this folder as SVG: guidance sweeps, alignment against quality; of stored images AUC against UNet passes.",
            valueName: "folder"),
        completion: .directory)
    var plots: String?

    @Option(help: "Resamples of the bootstrap.")
    var resamples = 4000

    @Option(help: "The report's name in the corpus (default: one that follows from the settings).")
    var name: String?

    @OptionGroup var partition: PartOption

    @OptionGroup var stop: StopOptions

    @OptionGroup var output: OutputOptions

    func validate() throws {
        try requirePositive(imagesPerPrompt, "--images-per-prompt", Bounds.imagesPerPrompt)
        try requirePositive(steps, "--steps")
        try requirePositive(batch, "--batch", Bounds.batch)
        try requirePositive(count, "--count", Bounds.nearMisses)
        try requirePositive(draws, "--draws", Bounds.draws)
        try requirePositive(resamples, "--resamples", Bounds.resamples)
        for scale in guidance.values { try requireGuidance(scale) }
        let makes = prompts != nil || model != nil || !adapter.isEmpty
        if partition.isGiven, !makes { throw ValidationError("--part goes with --prompts and --model") }
        if partition.isGiven, case .corpus? = negatives?.source {
            throw ValidationError(
                "--negatives corpus: takes the prompts of a whole corpus, which parts do not see; leave --part out")
        }
        if makes, prompts == nil || model == nil { throw ValidationError("--prompts and --model go together") }
        if [makes, images != nil, condition != nil].count(where: { $0 }) > 1 {
            throw ValidationError("give one of --prompts with --model, --images, and --where")
        }
        if !makes, images == nil, referee == nil {
            throw ValidationError("--referee: name what the scores of stored images are compared with")
        }
        if reference != nil, !makes {
            throw ValidationError("--reference goes with --prompts and --model: quality is measured of what they make")
        }
        if plots != nil, images != nil { throw ValidationError("--images has nothing to plot; leave --plots out") }
        if images != nil, let referee, referee != "shapes" {
            throw ValidationError(
                "--images takes --referee shapes; import the images to compare them with '\(referee)'")
        }
    }

    func run() async throws {
        if let images {
            try judge(URL(fileURLWithPath: images, isDirectory: true))
        } else if let prompts, let model {
            try evaluate(URL(fileURLWithPath: prompts), URL(fileURLWithPath: model, isDirectory: true))
        } else {
            try compare()
        }
    }

    private func judge(_ folder: URL) throws {
        let result = try TerminalMonitor.watch("evaluate", unit: "images") {
            try ShapesFolder.judge(folder, text: textColumn, monitor: $0)
        }
        guard result.isFinished else { try Interruption.stop("stopped; nothing was kept") }
        print(output.json ? try jsonText(result) : EvaluationTables.judged(result).text)
    }

    private func evaluate(_ prompts: URL, _ folder: URL) throws {
        let part = try partition.resolved()
        stop.begin()
        let corpus = try store.open(writing: true, deciding: true)
        var source = ModelSource(folder: folder)
        (source.variant, source.lowMemory, source.ignoredFields) = (copy.variant, lowMemory, config.ignoreConfig)
        (source.precision, source.device) = (products.precision, place.choice)
        var job = EvaluationJob(model: source, prompts: prompts)
        job.reference = reference
        job.adapters = adapter.map(EvaluationJob.Adapter.init)
        (job.imagesPerPrompt, job.guidance, job.steps, job.sampler) = (imagesPerPrompt, guidance.values, steps, sampler)
        (job.seed, job.batch, job.tag, job.referee) = (seed, batch, tag, referee.map { Referee($0) })
        job.seeds = seeds
        (job.scores, job.resamples, job.name) = (try score.map { try ScoreForm($0) }, resamples, name)
        (job.negatives, job.negativeCount, job.draws) = (negatives?.source, count, draws)
        (job.part, job.array) = (part, partition.array)
        let (report, stored, outcome) = try TerminalMonitor.watch("evaluate", unit: "images") { [job] in
            try job.run(in: corpus, monitor: $0)
        }
        if report == nil, outcome.isFinished { return try tell(part, outcome) }
        guard let report else {
            try Interruption.stop("stopped; \(outcome.made) images are sealed, the same command resumes")
        }
        if output.json {
            print(try jsonText(report))
        } else {
            for table in EvaluationTables.all(report) { print(table.text + "\n") }
            for note in report.notes { standardError("note: \(note)") }
            print("\(outcome.made) images made, \(outcome.skipped) already present")
            print("report \(StoredEvaluations.file(stored, in: corpus).path)")
        }
        try write(EvaluationPlots.plots(report))
        if outcome.failed > 0 {
            throw Failure(
                "\(outcome.failed) of \(outcome.total) images came out with values that are not finite numbers; the report is of "
                    + "the others")
        }
    }

    /// Prints the places of plots, beside what is read by programs.
    private func write(_ charts: [EvaluationPlots.Plot]) throws {
        guard let plots else { return }
        let places = try EvaluationPlots.write(charts, to: URL(fileURLWithPath: plots, isDirectory: true))
        if places.isEmpty {
            standardError(
                "note: nothing to plot: give several scales of guidance, --reference, or measure with attune score --negatives"
            )
        }
        for place in places { if output.json { standardError("plot \(place)") } else { print("plot \(place)") } }
    }

    /// What a part says whose share is done while others are not.
    private func tell(_ part: Part, _ outcome: WorkOutcome) throws {
        let share = EvaluationShare(
            part: "\(part)", made: outcome.made, skipped: outcome.skipped, failed: outcome.failed)
        print(output.json ? try jsonText(share) : "\(share)")
        if outcome.failed > 0 {
            throw Failure(
                "\(outcome.failed) images came out with values that are not finite numbers; the others are kept")
        }
    }

    private func compare() throws {
        let corpus = try store.open(writing: true, deciding: true)
        var job = AgreementJob(referee: Referee(referee ?? "shapes"), scores: try score.map { try ScoreForm($0) })
        (job.condition, job.resamples, job.measuresCosts) = (condition, resamples, plots != nil)
        let report: AgreementJob.Report
        do {
            report = try TerminalMonitor.watch("evaluate", unit: "images") { [job] in
                try job.run(in: corpus, monitor: $0)
            }
        } catch is Interrupted { try Interruption.stop("stopped; the same command resumes") }
        print(output.json ? try jsonText(report) : EvaluationTables.agreement(report.agreement)?.text ?? "")
        try write(EvaluationPlots.plots(report))
    }
}

/// What one part has done of an evaluation that is not complete.
private struct EvaluationShare: Encodable, CustomStringConvertible {
    let part: String
    let made, skipped, failed: Int

    var description: String {
        "part \(part): \(made) images made, \(skipped) already present; other parts are not done, and the last of them makes the "
            + "report"
    }
}
