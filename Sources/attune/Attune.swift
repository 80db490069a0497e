import ArgumentParser

/// The root command; `--help` here is the place where exit codes are documented.
struct Attune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attune",
        abstract: "Build corpora of generated images scored by mutual information, and fine-tune on the best of them.",
        discussion: ExitStatus.documentation,
        version: attuneVersion,
        subcommands: [
            DoctorCommand.self
        ])
}
