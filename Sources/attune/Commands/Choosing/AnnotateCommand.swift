import ArgumentParser
import CorpusStore
import Foundation
import Workflows

struct AnnotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "annotate", abstract: "Import scores from elsewhere by sample id, or keep an estimate as a score.",
        discussion: """
            The file is JSON lines or CSV with an id and a score in each row, T2I-CompBench's vqa_result.json (with \
            --selection, the one that was exported as t2i-compbench), or a JSON object of file names and scores. The \
            scorer's name becomes a column of query, --by and train --weight-by. Scoring again under the same name \
            keeps what was there; the later value counts. A change of the scorer deserves a name of its own: hps_v2. \
            With --vectors the file is a .npz of feature vectors, as attune features and attune.add_vectors write it.

            With --score there is no file: an estimate with settings of its own, from what attune score has measured, is \
            kept under the scorer's name: --score contrast:error=0.3 --scorer fit (docs/evaluation.md).
            """)

    @OptionGroup var store: CorpusOptions

    @Argument(help: "A .jsonl, .csv or .json file; with --vectors a .npz file.", completion: .file())
    var file: String?

    @Option(help: ArgumentHelp("Keep this estimate of stored measurements, in place of a file.", valueName: "form"))
    var score: String?

    @Option(help: "With --score: an SQL condition for the samples, as query takes (default: all).")
    var `where`: String?

    @Option(help: "The scorer's name: a–z, 0–9 and '_' (with --vectors, the default is what the file says).")
    var scorer: String?

    @Flag(help: "Import feature vectors, for duplicates, similar and select --diverse.")
    var vectors = false

    @Option(help: "Where the scores are (default: the scorer's name, score, value or reward).")
    var column: String?

    @Option(help: "The selection whose order vqa_result.json counts in.")
    var selection: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let scorer, let problem = Annotations.problem(withName: scorer) { throw ValidationError(problem) }
        if scorer == nil, !vectors { throw ValidationError("give the scorer's name with --scorer") }
        guard (file == nil) != (score == nil) else {
            throw ValidationError(
                score == nil ? "give a file of scores, or --score" : "--score takes no file: give one of the two")
        }
        if `where` != nil, score == nil { throw ValidationError("--where is for --score") }
        if score != nil, vectors || column != nil || selection != nil {
            throw ValidationError("--vectors, --column and --selection are for files, and --score takes none")
        }
        if vectors, column != nil || selection != nil {
            throw ValidationError("--vectors takes ids and vectors: --column and --selection do not apply")
        }
    }

    func run() async throws {
        let form = try score.map { try ScoreForm($0) }
        let corpus = try store.open(writing: true, deciding: true)
        if let form, let scorer {
            var job = ScoreAnnotationJob(form, scorer: scorer)
            job.condition = `where`
            let (count, missing, revision) = try job.run(in: corpus)
            return try print(count, scorer, revision, missing > 0 ? "; \(missing) have no value of it" : "")
        }
        guard let file else { return }
        let url = URL(fileURLWithPath: file)
        guard let scorer, !vectors else {
            var job = VectorImportJob(file: url)
            job.name = scorer
            let made = try job.run(in: corpus)
            return try output.print(
                Vectors(vectors: made.vectors, width: made.width, name: made.name, revision: made.revision),
                "\(made.vectors) vectors of \(made.width) numbers as \(made.name), revision \(made.revision)")
        }
        var job = AnnotationJob(file: url, scorer: scorer)
        (job.column, job.selection) = (column, selection)
        let (count, revision) = try job.run(in: corpus)
        try print(count, scorer, revision)
    }

    private func print(_ count: Int, _ scorer: String, _ revision: Int?, _ rest: String = "") throws {
        try output.print(
            Scores(samples: count, scorer: scorer, revision: revision),
            (revision.map { "\(count) samples scored by \(scorer), revision \($0)" }
                ?? "\(count) samples have these scores by \(scorer) already") + rest)
    }

    private struct Scores: Encodable {
        let samples: Int
        let scorer: String
        /// Absent where the samples have these scores already.
        let revision: Int?
    }

    private struct Vectors: Encodable {
        let vectors, width: Int
        let name: String
        let revision: Int
    }
}
