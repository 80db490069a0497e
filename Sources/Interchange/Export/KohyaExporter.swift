package import Foundation

/// The folder that kohya's sd-scripts train on: `<repeats>_<concept>/<id>.png` with the prompt in `<id>.txt`.
package struct KohyaExporter: Exporter {
    private let repeats: Int
    private let concept: String

    package init(repeats: Int, concept: String) {
        (self.repeats, self.concept) = (repeats, concept)
    }

    package var identity: String { "kohya \(repeats)_\(concept)" }

    package func writePart(
        _ part: Int, from start: Int, of source: any ExportSource, into folder: URL, report: (Int) -> Void
    ) throws -> Int {
        let images = folder.appendingPathComponent("\(repeats)_\(concept)")
        let next = try PicturePart.write(from: start, of: source, into: images) { _, sample, png in
            // Its loader reads one line, and stops at an empty caption.
            let caption = sample.prompt.split(whereSeparator: \.isNewline).joined(separator: " ")
            guard caption.contains(where: { !$0.isWhitespace }) else { throw ExportError.noPrompt(id: sample.id) }
            return [
                NewFile(name: sample.fileName + ".png", bytes: png),
                NewFile(name: sample.fileName + ".txt", bytes: Array((caption + "\n").utf8)),
            ]
        }
        report(next)
        return next
    }
}
