package import Foundation

/// The folder that kohya's sd-scripts train on: `<repeats>_<concept>/<id>.png` with the prompt in `<id>.caption`, which
/// they read by default, and in `<id>.txt`, which most other trainers read.
package struct KohyaExporter: Exporter {
    private let repeats: Int
    private let concept: String
    private let extensions: [String]

    /// - Parameters:
    ///   - repeats: how often trainers repeat each image in an epoch; part of the folder's name.
    ///   - concept: the rest of the folder's name.
    ///   - extensions: of caption files, with a dot.
    package init(repeats: Int, concept: String, captions extensions: [String] = CaptionedFolder.captionExtensions) {
        (self.repeats, self.concept, self.extensions) = (repeats, concept, extensions)
    }

    package var identity: String { "kohya \(repeats)_\(concept) \(extensions.joined(separator: " "))" }

    package func writePart(
        _ part: Int, from start: Int, of source: any ExportSource, into folder: URL, report: (Int) -> Void
    ) throws -> Int {
        let images = folder.appendingPathComponent("\(repeats)_\(concept)")
        let next = try ImagePart.write(from: start, of: source, into: images) { _, sample, png in
            // Its loader reads one line, and stops at an empty caption.
            let caption = sample.prompt.split(whereSeparator: \.isNewline).joined(separator: " ")
            guard caption.contains(where: { !$0.isWhitespace }) else { throw ExportError.noPrompt(id: sample.id) }
            return [NewFile(name: sample.fileName + ".png", bytes: png)]
                + extensions.map { NewFile(name: sample.fileName + $0, bytes: Array((caption + "\n").utf8)) }
        }
        report(next)
        return next
    }
}
