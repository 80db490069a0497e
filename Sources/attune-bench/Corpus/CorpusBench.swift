import ArgumentParser

/// The store at sizes that people will reach: see Benchmarks/scale.sh and Benchmarks/storage.sh.
struct CorpusBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corpus", abstract: "Make synthetic corpora, and time what is asked of them.",
        subcommands: [
            MakeRows.self, MakeSamples.self, AskRows.self, ReindexBench.self, StorageBench.self, ReadLatents.self,
        ])
}
