import ArgumentParser

/// Times the engine for Benchmarks/engine.sh: each measurement is one line of JSON, in the peers' fields.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attune-bench", abstract: "Time Attune's engine; one JSON object a measurement.",
        subcommands: [UNetBench.self, PipelineBench.self, VAEBench.self, RooflineBench.self, CorpusBench.self])
}
