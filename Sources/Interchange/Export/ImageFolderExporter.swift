import CorpusStore
package import Foundation

/// A Hugging Face imagefolder: `train/<id>.png` and `train/metadata.jsonl`, which
/// `datasets.load_dataset("imagefolder")` reads with its text.
package struct ImageFolderExporter: Exporter {
    package init() {}

    package var identity: String { "imagefolder" }

    package func writePart(
        _ part: Int, from start: Int, of source: any ExportSource, into folder: URL, report: (Int) -> Void
    ) throws -> Int {
        let next = try ImagePart.write(from: start, of: source, into: folder.appendingPathComponent("train")) {
            [NewFile(name: $1.fileName + ".png", bytes: $2)]
        }
        report(next)
        return next
    }

    package func finish(_ source: any ExportSource, in folder: URL) throws {
        var lines = Data()
        for start in stride(from: 0, to: source.count, by: ImagePart.size) {
            for sample in try source.facts(start..<min(start + ImagePart.size, source.count)) {
                lines += line(sample, scorers: source.scorers).data
                lines.append(UInt8(ascii: "\n"))
            }
        }
        try NewFile(name: "train/metadata.jsonl", bytes: Array(lines)).write(into: folder.path)
    }

    /// The column of a scorer. `datasets` makes `image` itself and takes `x_file_name` for another image's path.
    private func column(_ scorer: String) -> String {
        let isFile = scorer.hasSuffix("file_name") || scorer.hasSuffix("file_names")
        return scorerColumn(
            scorer, apartFrom: isFile ? [scorer] : ["file_name", "text", "mi", "id", "image", "images"])
    }

    /// Every line has every key: readers infer one schema for the whole file.
    private func line(_ sample: SampleFacts, scorers: [String]) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "file_name": .string(sample.fileName + ".png"), "text": .string(sample.prompt),
            "mi": SampleFacts.json(sample.mi), "id": .string(sample.id.hex),
        ]
        for name in scorers { members[column(name)] = SampleFacts.json(sample.annotations[name]) }
        return .object(members)
    }
}
