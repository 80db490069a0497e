import ArgumentParser
import Workflows

struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show what a corpus holds: samples, prompts, models, selections, runs.")

    @OptionGroup var store: CorpusOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let summary = try CorpusSummary(store.open())
        print(output.json ? try jsonText(summary) : summary.text)
    }
}
