import ArgumentParser

/// `--json`, on every command that lists something.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false
}
