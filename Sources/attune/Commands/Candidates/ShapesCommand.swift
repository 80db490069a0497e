import ArgumentParser
import Foundation
import Workflows

struct ShapesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shapes", abstract: "The shapes benchmark: its prompts, and images that show them.",
        discussion: """
            A world of colored shapes whose images a program can judge: attune evaluate --referee shapes. datasets/shapes \
            says more.
            """,
        subcommands: [ShapesPromptsCommand.self, ShapesRenderCommand.self])
}

struct ShapesPromptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prompts", abstract: "Write the benchmark's 700 training and 300 test prompts.",
        discussion: "train.txt and test.txt share no prompt. Each line is a prompt and, behind a tab, its category.")

    @Option(help: "The folder for both files.", completion: .directory)
    var to: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let written = try ShapesPromptFiles.write(to: URL(fileURLWithPath: to, isDirectory: true))
        try output.print(
            written.map { Written(prompts: $0.prompts, file: $0.file.path) },
            written.map { "\($0.prompts) prompts in \($0.file.path)" }.joined(separator: "\n"))
    }

    private struct Written: Encodable {
        let prompts: Int
        let file: String
    }
}

struct ShapesRenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", abstract: "Draw images that show what prompts of the benchmark ask for.",
        discussion: """
            An imagefolder of 64×64 pixels: attune import takes it, and attune evaluate --images judges it. The same command \
            makes only what is missing.
            """)

    @Option(help: "A file of prompts, one per line.", completion: .file())
    var prompts: String

    @Option(help: "Images per prompt.")
    var perPrompt = 10

    @Option(help: "The seed of all layouts.")
    var seed: UInt64 = 42

    @Option(help: "The folder to fill.", completion: .directory)
    var to: String

    @OptionGroup var output: OutputOptions

    func validate() throws { try requirePositive(perPrompt, "--per-prompt", Bounds.imagesPerPrompt) }

    func run() async throws {
        var job = ShapesRendering(
            prompts: URL(fileURLWithPath: prompts), folder: URL(fileURLWithPath: to, isDirectory: true))
        (job.perPrompt, job.seed) = (perPrompt, seed)
        let outcome = try TerminalMonitor.watch("render", unit: "images") { [job] in try job.run(monitor: $0) }
        guard outcome.isFinished else {
            try Interruption.stop("stopped after \(outcome.made) images; the same command makes the rest")
        }
        try output.print(WorkReport(outcome), "\(outcome.total) images in \(to) (\(outcome.made) made now)")
    }
}
