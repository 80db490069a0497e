import ArgumentParser

/// The root command; `--help` here is the place where exit codes are documented.
struct Attune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attune",
        abstract: "Build corpora of generated images scored by mutual information, and fine-tune on the best of them.",
        discussion: ExitStatus.documentation,
        version: attuneVersion,
        groupedSubcommands: [
            CommandGroup(name: "Build a corpus", subcommands: [InitCommand.self, GenerateCommand.self]),
            CommandGroup(name: "Choose from it", subcommands: [QueryCommand.self]),
            CommandGroup(name: "Fine-tune and sample", subcommands: [SampleCommand.self]),
            CommandGroup(name: "Share it", subcommands: [PushCommand.self, PullCommand.self]),
            CommandGroup(name: "Look after it", subcommands: [CheckShardCommand.self, VerifyCommand.self, DoctorCommand.self]),
        ])
}
