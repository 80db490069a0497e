package import Foundation

/// A Hugging Face imagefolder: `train/<id>.png` and `train/metadata.jsonl`, which `datasets.load_dataset("imagefolder")`
/// reads with its text.
package struct ImageFolderExporter: Exporter {
    package init() {}

    package func write(_ source: any ExportSource, into folder: URL, report: (Int) -> Void) throws {
        let train = folder.appendingPathComponent("train")
        try FileManager.default.createDirectory(at: train, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var metadata = Data()
        for (index, id) in source.ids.enumerated() {
            let sample = try source.sample(id)
            let record = Record(
                fileName: fileName(id), text: sample.prompt, mi: sample.mi.flatMap { $0.isFinite ? $0 : nil }, id: id)
            try sample.png.write(to: train.appendingPathComponent(record.fileName))
            metadata += try encoder.encode(record)
            metadata.append(UInt8(ascii: "\n"))
            report(index + 1)
        }
        try metadata.write(to: train.appendingPathComponent("metadata.jsonl"))
    }

    /// Ids are `sha256:<hex>`; a colon is not welcome in file names everywhere.
    private func fileName(_ id: String) -> String {
        (id.split(separator: ":").last.map(String.init) ?? id) + ".png"
    }

    private struct Record: Encodable {
        let fileName: String
        let text: String
        let mi: Double?
        let id: String

        enum CodingKeys: String, CodingKey {
            case text, mi, id
            case fileName = "file_name"
        }

        /// Every line has every key: readers infer one schema for the whole file.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(fileName, forKey: .fileName)
            try container.encode(text, forKey: .text)
            try container.encode(mi, forKey: .mi)
            try container.encode(id, forKey: .id)
        }
    }
}
