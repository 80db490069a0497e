import ArgumentParser
import Foundation
import Tuning
import Workflows

struct AlignCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "align", abstract: "Rounds of generate, score, select, train and evaluate, from one file.",
        discussion: """
            Each round makes its candidates with the adapter of the round before and trains on from it. What is there is not \
            made again: after a stop, the same command resumes. The record is alignments/NAME.json in the corpus. \
            docs/alignment.md lists the keys of the file.
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "The configuration, a JSON file.", completion: .file(extensions: ["json"]))
    var file: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try AlignmentConfiguration(URL(fileURLWithPath: file))
        let corpus = try store.open(writing: true, deciding: true)
        let (record, isFinished) = try AlignmentJob(settings).run(
            in: corpus, computer: .current(version: attuneVersion), monitor: TerminalMonitor.init
        ) { round in
            if !output.json { print(Self.line(round)) }
        }
        if output.json { print(try jsonText(record)) }
        guard isFinished else { try Interruption.stop("stopped; the same command resumes there") }
    }

    private static func line(_ round: AlignmentRecord.Round) -> String {
        let results = round.results.map {
            "\($0.model) \(formatted($0.mean, digits: 3)) [\(formatted($0.low, digits: 3)), \(formatted($0.high, digits: 3))]"
                + " at \(formatted($0.guidance, digits: 1))"
        }
        return "round \(round.round): \(round.selected ?? 0) of \(round.candidates) candidates, adapter "
            + "\((round.adapter ?? "").prefix(12)); \(round.results.first?.score ?? "no score"): "
            + results.joined(separator: ", ")
    }
}
