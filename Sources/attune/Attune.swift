import ArgumentParser

/// The root command; `--help` here is the place where exit codes are documented.
struct Attune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attune",
        abstract: "Build corpora of generated images scored by mutual information, and fine-tune on the best of them.",
        discussion: ExitStatus.documentation,
        version: attuneVersion,
        groupedSubcommands: [
            CommandGroup(
                name: "Build a corpus",
                subcommands: [
                    InitCommand.self, GenerateCommand.self, MissingCommand.self, ImportCommand.self, ScoreCommand.self,
                    AnnotateCommand.self,
                    AnnotationsCommand.self,
                ]),
            CommandGroup(
                name: "Query and select",
                subcommands: [
                    QueryCommand.self, SelectCommand.self, SelectionsCommand.self, ShowCommand.self, DiffCommand.self,
                    ExportCommand.self, DuplicatesCommand.self, SimilarCommand.self,
                ]),
            CommandGroup(
                name: "Fine-tune and sample",
                subcommands: [TrainCommand.self, SampleCommand.self, AlignCommand.self]),
            CommandGroup(
                name: "Evaluate and look",
                subcommands: [
                    EvaluateCommand.self, QualityCommand.self, FeaturesCommand.self, ReportCommand.self,
                    ServeCommand.self,
                    ShapesCommand.self,
                ]),
            CommandGroup(name: "Share", subcommands: [PushCommand.self, PullCommand.self, CheckShardCommand.self]),
            CommandGroup(
                name: "Maintenance",
                subcommands: [
                    InfoCommand.self, VerifyCommand.self, PackCommand.self, GcCommand.self, ReindexCommand.self,
                    DoctorCommand.self,
                ]),
        ])

    @Option(
        help: ArgumentHelp(
            "Threads that compute (default: ATTUNE_THREADS, or what this process may use). Results do not depend on it.",
            valueName: "n"))
    var threads: Int?

    /// The parser calls this whichever subcommand was given, before that one runs.
    func validate() throws { try ThreadCount.use(threads) }
}
