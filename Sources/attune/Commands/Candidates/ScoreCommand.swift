import ArgumentParser
import Tuning
import Workflows

struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score", abstract: "Measure the mutual information of stored images by Monte-Carlo.",
        discussion: """
            Each latent is noised at a number of timesteps, and the model's predictions with and without the \
            prompt are compared: a trace of its own beside the one that generation left, with a standard error over \
            the draws. The results are the columns mc, mc_se, mc_reference and mc_draws. What has been measured in the \
            same way is skipped.

            With --negatives the denoising errors under the prompt, the empty prompt and near-miss prompts are measured \
            and kept, with noise that all of them share: the columns contrast, contrast_se, contrast_hard, pointwise and \
            near_misses (docs/evaluation.md). Near misses come from rules on the words of a prompt, from the nearest other \
            prompts of the corpus, or from a file of JSON lines: {"prompt": "…", "negatives": ["…", "…"]}.
            """)

    @OptionGroup var store: CorpusOptions

    @OptionGroup var source: ModelOptions

    @Option(name: .customLong("where"), help: "An SQL condition, as query takes.")
    var condition: String?

    @Option(help: "Noise samples per timestep.")
    var draws = 4

    @Option(help: "Timesteps, spread over the schedule.")
    var steps = 20

    @Option(help: "Seed of the noise.")
    var seed: UInt64 = 42

    @Option(help: "Images that are sealed together.")
    var batch = 16

    @OptionGroup var partition: PartOption

    @OptionGroup var stop: StopOptions

    @Option(
        help: ArgumentHelp(
            "Measure errors under near-miss prompts too: rules, corpus, or a file that lists them.",
            valueName: "rules|corpus|file"),
        completion: .file())
    var negatives: NearMissArgument?

    @Option(help: "Near misses per prompt, at most.")
    var count = 6

    @Option(
        help: ArgumentHelp(
            "Measure only these of the timesteps, as 201-999: cheaper, and no estimate of MI.", valueName: "a-b"))
    var timesteps: TimestepRange?

    @Option(
        help: ArgumentHelp(
            "Measure until the best n images of each prompt by contrast are told from the rest, which get no score.",
            valueName: "n"))
    var untilSettled: Int?

    @Option(
        help: ArgumentHelp(
            "What --until-settled tells the best by: contrast (default), less a part of the log of the error under the prompt with contrast:error=0.3.",
            valueName: "contrast|contrast:error=w"))
    var settleBy: ContrastRanking?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        try requirePositive(draws, "--draws", Bounds.draws)
        try requirePositive(steps, "--steps")
        try requirePositive(batch, "--batch", Bounds.batch)
        try requirePositive(count, "--count", Bounds.nearMisses)
        if let untilSettled {
            try requirePositive(untilSettled, "--until-settled", Bounds.top)
            guard negatives != nil else { throw ValidationError("--until-settled requires --negatives") }
        }
        if settleBy != nil, untilSettled == nil { throw ValidationError("--settle-by goes with --until-settled") }
        if negatives == nil, timesteps != nil {
            throw ValidationError("--timesteps requires --negatives: MI is estimated from the whole schedule")
        }
    }

    func run() async throws {
        let part = try partition.resolved()
        stop.begin()
        let corpus = try store.open(writing: true, deciding: true)
        var job = ScoringJob(model: source.source)
        (job.condition, job.draws, job.steps, job.seed, job.batch) = (condition, draws, steps, seed, batch)
        (job.part, job.array) = (part, partition.array)
        (job.negatives, job.negativeCount, job.timesteps) = (negatives?.source, count, timesteps?.range)
        job.settled = untilSettled
        job.settledBy = settleBy ?? ContrastRanking()
        let outcome = try TerminalMonitor.watch("score", unit: "images") { [job] in
            try job.run(in: corpus, monitor: $0)
        }
        guard outcome.isFinished else {
            try Interruption.stop("stopped; \(outcome.made) scores are sealed, the same command makes the rest")
        }
        try output.print(WorkReport(outcome), "\(outcome.made) images scored, \(outcome.skipped) already scored")
    }
}
