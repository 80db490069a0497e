import ArgumentParser

/// `--time-limit`: a command that stops before its scheduler stops it.
struct StopOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Stop at the first safe point after so long, as 55m, with exit status 75; the same command resumes.",
            valueName: "time"))
    var timeLimit: Age?

    func validate() throws {
        if let timeLimit, timeLimit.seconds <= 0 {
            throw ValidationError("--time-limit is 0; it must be longer, as 55m")
        }
    }

    /// From here on the limit holds.
    func begin() { timeLimit.map { Interruption.stop(after: $0.seconds) } }
}
