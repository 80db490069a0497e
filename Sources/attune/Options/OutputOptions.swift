import ArgumentParser
import Workflows

/// `--json`, on every command that prints facts. What each prints is in schemas/output.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    /// Prints a value as JSON, or its text.
    func print(_ value: some Encodable, _ text: @autoclosure () -> String) throws {
        attune.print(json ? try jsonText(value) : text())
    }
}
