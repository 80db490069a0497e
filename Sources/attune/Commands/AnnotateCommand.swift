import ArgumentParser
import Corpus
import Foundation
import Interchange

struct AnnotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "annotate", abstract: "Take in scores from elsewhere, by sample id.",
        discussion: """
            The file is JSON lines or CSV with an id and a score in each row, T2I-CompBench's vqa_result.json (with \
            --selection, the one that was exported as t2i-compbench), or a JSON object of file names and scores. The \
            scorer's name becomes a column of query, --by and train --weight-by. Scoring again under the same name \
            keeps what was there; the later value counts. A change of the scorer deserves a name of its own: hps_v2.
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "A .jsonl, .csv or .json file.", completion: .file())
    var file: String

    @Option(help: "The scorer's name: a–z, 0–9 and '_'.")
    var scorer: String

    @Option(help: "Where the scores are (default: the scorer's name, score, value or reward).")
    var column: String?

    @Option(help: "The selection whose order vqa_result.json counts in.")
    var selection: String?

    func validate() throws {
        if let problem = Annotations.problem(withName: scorer) { throw ValidationError(problem) }
    }

    func run() async throws {
        let corpus = try store.open(writing: true, deciding: true)
        let url = URL(fileURLWithPath: file)
        let selection = try selection.map { try corpus.selection(named: $0).ids }
        let annotations = try AnnotationFile(url, scorer: scorer, selection: selection, column: column)
        let revision = try corpus.annotate(annotations.values, by: scorer, from: url.lastPathComponent)
        let count = annotations.values.count
        guard let revision else {
            print("\(count) samples have these scores by \(scorer) already")
            return
        }
        print("\(count) samples scored by \(scorer), revision \(revision)")
    }
}
