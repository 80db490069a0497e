package import Foundation

/// The folder that T2I-CompBench's evaluators read: `samples/<prompt>_<number>.png`, numbered in the selection's order.
/// Their `vqa_result.json` comes back through `annotate --selection`.
package struct CompBenchExporter: Exporter {
    package init() {}

    package var identity: String { "t2i-compbench" }

    package func writePart(
        _ part: Int, from start: Int, of source: any ExportSource, into folder: URL, report: (Int) -> Void
    ) throws -> Int {
        let next = try ImagePart.write(from: start, of: source, into: folder.appendingPathComponent("samples")) {
            [NewFile(name: "\(Self.spelled($1.prompt))_\(padded($0)).png", bytes: $2)]
        }
        report(next)
        return next
    }

    /// The prompt as a file name: the evaluators take the text before the underscore, so it has none, and 255 bytes are
    /// what a name may have.
    private static func spelled(_ prompt: String) -> String {
        let plain = prompt.map { "/_\0".contains($0) || $0.isNewline ? " " : $0 }
        var name = String(plain)
        while name.utf8.count > 240 { name.removeLast() }
        return name
    }
}
