import ArgumentParser

/// Times the engine and the corpus for the scripts in Benchmarks/: each measurement is one line of JSON, in the peers' fields.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attune-bench", abstract: "Time Attune's engine and corpus; one JSON object a measurement.",
        subcommands: [
            UNetBench.self, PipelineBench.self, AllWeightsBench.self, FullBench.self, RooflineBench.self,
            TilesBench.self,
            PrecisionBench.self,
            CorpusBench.self,
            DuplicatesBench.self,
        ])
}
