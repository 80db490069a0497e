package import CorpusStore
package import Foundation
import Tuning

/// What `attune report` does: writes one HTML file that needs no other.
package struct ReportJob: Sendable {
    /// The selection whose prompts are shown.
    package var selection: String?
    /// What samples are ranked by.
    package var score = "mi"
    /// The run whose losses are drawn.
    package var run: String?
    /// Two folders of `attune sample`, of the same prompts and seeds.
    package var compared: (base: URL, tuned: URL)?
    /// Files of `attune evaluate`.
    package var evaluations: [URL] = []
    /// Of the report; nil makes one of what it shows.
    package var title: String?
    /// Prompts that are shown, at most.
    package var prompts = 20
    /// Images per prompt, at most.
    package var columns = 16
    /// What made the report, with its version.
    package var author = "attune"

    package init() {}

    /// - Parameters:
    ///   - place: the file, or a folder in which it is called report.html; a report that is there is replaced.
    ///   - corpus: opened where a selection is shown.
    ///   - corpusFolder: asked for where a run is shown.
    /// - Returns: the file that was written.
    /// - Throws: ``Failure`` for what cannot be read, shown or written, ``CorpusError`` for what the corpus lacks,
    ///   ``UsageError`` for what is not a score.
    package func write(
        to place: URL, corpus: () throws -> Corpus, corpusFolder: () throws -> URL
    ) throws -> URL {
        var sections: [ReportDocument.Section] = []
        var parts: [String] = []
        if let selection {
            sections += try SelectionReport(
                selection, in: corpus(), score: score, prompts: prompts, columns: columns
            ).sections()
            parts.append("selection \(selection)")
        }
        // Where the samples come from stands at the end.
        let last = sections.last.map { $0.name == "Provenance" ? [$0] : [] } ?? []
        sections.removeLast(last.count)
        if let compared {
            sections.append(
                try ComparisonReport.section(
                    SampleFolder(existing: compared.base), SampleFolder(existing: compared.tuned), prompts: prompts,
                    columns: columns))
            parts.append("\(compared.base.lastPathComponent) against \(compared.tuned.lastPathComponent)")
        }
        if let run {
            sections.append(try RunReport.section(RunFolder(corpus: corpusFolder(), name: run)))
            parts.append("run \(run)")
        }
        for evaluation in evaluations { sections.append(try EvaluationSection.section(evaluation)) }
        let file = place.pathExtension.lowercased() == "html" ? place : place.appending(path: "report.html")
        let words = parts.isEmpty ? "evaluation" : parts.joined(separator: ", ")
        let document = ReportDocument(
            title: title ?? words.prefix(1).uppercased() + words.dropFirst(),
            subtitle: "Written by \(author) on \(Date().formatted(.iso8601.year().month().day())).",
            sections: sections + last)
        try document.write(to: file)
        return file
    }
}
