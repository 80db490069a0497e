import Foundation

/// Writes a whole selection: part after part into a folder beside the destination, which takes its name at the end.
///
/// ```swift
/// let isFinished = try Export(source, ImageFolderExporter()).run(
///     to: ExportDestination(URL(fileURLWithPath: "best")))
/// ```
package struct Export {
    private let source: any ExportSource
    private let exporter: any Exporter

    package init(_ source: any ExportSource, _ exporter: any Exporter) {
        (self.source, self.exporter) = (source, exporter)
    }

    /// - Parameters:
    ///   - destination: where the export appears once it is finished.
    ///   - isCancelled: asked before each part.
    ///   - report: told how many samples are written; first how many an interrupted export has left.
    /// - Returns: whether the export was finished; if not, the same call resumes it.
    @discardableResult
    package func run(
        to destination: ExportDestination, isCancelled: () -> Bool = { false }, report: (Int) -> Void = { _ in }
    ) throws -> Bool {
        let partial = try destination.begin("\(exporter.identity) of \(source.identity)")
        var (part, start) = (partial.progress.part, partial.progress.next)
        report(start)
        if partial.isWritten {
            try partial.complete()
            return true
        }
        do {
            while start < source.count {
                if isCancelled() { return false }
                start = try exporter.writePart(part, from: start, of: source, into: partial.folder, report: report)
                part += 1
                try partial.record(.init(part: part, next: start))
            }
            try exporter.finish(source, in: partial.folder)
        } catch {
            // What failed once may fail again, and a full disk wants its space back.
            partial.discard()
            throw error
        }
        try partial.complete()
        return true
    }
}
