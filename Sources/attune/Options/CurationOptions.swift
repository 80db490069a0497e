import ArgumentParser
import Curation
import Workflows

/// How select keeps the best that differ.
struct CurationOptions: ParsableArguments {
    // Scores may be negative, and those of contrast always are.
    @Option(parsing: .unconditional, help: ArgumentHelp("Keep scores (--by) of at least this.", valueName: "score"))
    var minScore: Double?

    @Option(help: ArgumentHelp("Keep scores at or above this percentile, 0 to 100.", valueName: "p"))
    var percentile: Double?

    @Flag(help: "Keep only the best of each group of near-duplicates, as attune duplicates finds them.")
    var noNearDuplicates = false

    @Option(
        help: ArgumentHelp("How near-duplicates are found: phash, vectors, or the name of vectors.", valueName: "name"))
    var nearBy = "phash"

    @Option(help: ArgumentHelp("The largest distance of near-duplicates.", valueName: "distance"))
    var nearThreshold: Double?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Keep N of one kind, as tag=color:200; may be repeated.", valueName: "column=value:n"))
    var quota: [Quota] = []

    @Option(help: ArgumentHelp("Keep N of each cluster of vectors; needs --clusters.", valueName: "n"))
    var perCluster: Int?

    @Option(help: ArgumentHelp("The number of clusters.", valueName: "k"))
    var clusters: Int?

    @Option(help: ArgumentHelp("Keep n that differ from each other: each next one is the farthest.", valueName: "n"))
    var diverse: Int?

    @Option(
        help: ArgumentHelp(
            "With --diverse: weigh the score (--by) too, from 0, diversity alone, to 1, the score alone.",
            valueName: "share"))
    var trade: Double?

    @Option(
        help: ArgumentHelp(
            "The vectors of --diverse and --per-cluster (default: the only imported ones, or those of the latents).",
            valueName: "name"))
    var vectors: String?

    @Option(
        help: ArgumentHelp(
            "Deal the samples out to NAME-train, NAME-test and so on, near-duplicates together.",
            valueName: "train=0.9,test=0.1"))
    var split: Split?

    @Flag(help: "With --split: a prompt's samples stay together too.")
    var byPrompt = false

    var isUsed: Bool {
        minScore != nil || percentile != nil || noNearDuplicates || !quota.isEmpty || perCluster != nil
            || clusters != nil || diverse != nil || split != nil || trade != nil || byPrompt || nearThreshold != nil
            || nearBy != "phash" || vectors != nil
    }

    func validate() throws {
        func require(_ value: Double?, _ range: ClosedRange<Double>, _ option: String) throws {
            if let value, !range.contains(value) {
                throw ValidationError(
                    "\(option) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)")
            }
        }
        if let minScore, !minScore.isFinite {
            throw ValidationError("--min-score is \(minScore), which is not a score")
        }
        try require(percentile, 0...100, "--percentile")
        try require(trade, 0...1, "--trade")
        try require(nearThreshold, 0...1.4, "--near-threshold")
        if let diverse { try requirePositive(diverse, "--diverse", Bounds.top) }
        if let perCluster { try requirePositive(perCluster, "--per-cluster", Bounds.top) }
        if let clusters { try requirePositive(clusters, "--clusters", 1...100_000) }
        if (perCluster == nil) != (clusters == nil) {
            throw ValidationError("--per-cluster and --clusters go together")
        }
        if trade != nil, diverse == nil { throw ValidationError("--trade is for --diverse") }
        if byPrompt, split == nil { throw ValidationError("--by-prompt is for --split") }
        if nearThreshold != nil || nearBy != "phash", !noNearDuplicates, split == nil {
            throw ValidationError("--near-by and --near-threshold are for --no-near-duplicates and --split")
        }
        if vectors != nil, diverse == nil, clusters == nil {
            throw ValidationError("--vectors is for --diverse and --per-cluster")
        }
    }

    func job() throws -> CurationJob {
        var job = CurationJob()
        let nearness = Nearness(Nearness.Method(nearBy), threshold: nearThreshold)
        (job.minimumScore, job.percentile, job.quotas) = (minScore, percentile, quota)
        if noNearDuplicates { job.withoutDuplicates = nearness }
        if let clusters, let perCluster { job.clusters = (clusters, perCluster) }
        (job.diverse, job.trade, job.vectors) = (diverse, trade, vectors)
        (job.split, job.splitsByPrompt, job.splitNearness) = (split, byPrompt, nearness)
        return job
    }
}

extension Quota: ExpressibleByArgument {
    /// - Parameter argument: as `tag=color:200`.
    public init?(argument: String) { self.init(argument) }
}

extension Split: ExpressibleByArgument {
    /// - Parameter argument: as `train=0.9,test=0.1`.
    public init?(argument: String) {
        guard let split = try? Split(argument) else { return nil }
        self = split
    }
}
