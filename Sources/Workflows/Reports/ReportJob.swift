package import Corpus
package import Foundation
import Tuning

/// What `attune report` does: draws candidates by MI, traces, losses, and base against tuned into a folder.
package struct ReportJob: Sendable {
    /// The selection whose prompts are drawn.
    package var selection: String?
    /// The run whose loss is drawn.
    package var run: String?
    /// Two folders of `attune sample`, of the same prompts and seeds.
    package var compared: (base: URL, tuned: URL)?
    /// Prompts on a sheet, at most.
    package var prompts = 20
    /// Images per row, at most.
    package var columns = 16

    package init() {}

    /// - Parameters:
    ///   - place: the folder to write to; reports that are there are replaced.
    ///   - corpus: opened where a selection is drawn.
    ///   - corpusFolder: asked for where a run is drawn.
    /// - Returns: the files that were written, in order.
    /// - Throws: ``Failure`` for what cannot be read, drawn or written, ``CorpusError`` for what the corpus lacks.
    package func write(
        to place: URL, corpus: () throws -> Corpus, corpusFolder: () throws -> URL
    ) throws -> [URL] {
        let folder = try ReportFolder(place)
        if let selection {
            let report = try SelectionReport(selection, in: corpus(), prompts: prompts, columns: columns)
            try folder.write(report.candidates(), as: "candidates.png")
            try folder.write(report.traces(), as: "traces.svg")
        }
        if let run {
            try folder.write(try LossReport.plot(RunFolder(corpus: corpusFolder(), name: run)), as: "loss.svg")
        }
        if let compared {
            let sheet = try ComparisonReport.sheet(
                SampleFolder(existing: compared.base), SampleFolder(existing: compared.tuned), prompts: prompts,
                columns: columns)
            try folder.write(sheet, as: "comparison.png")
        }
        return folder.written
    }
}
