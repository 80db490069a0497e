import Codecs
import CorpusStore
import DiskAccess
package import Foundation
import Images

/// A folder that `sample` fills: `<prompt>-<seed>.png`, `metadata.jsonl` as an imagefolder has it, and `sample.json`,
/// the settings that all of them were made with.
package struct SampleFolder {
    package struct Settings: Codable, Equatable {
        let model: String
        let adapter: String?
        let steps: Int
        let guidance: Double
        let sampler: String
        let prompts: [String]
        var negativePrompt: String?
        var clipSkip: Int?
        /// Nil for the model's own size.
        var width, height: Int?
        var ignoredFields: [String]?
        /// Nil for float32.
        var precision: String?
    }

    package struct Image: Equatable {
        package let fileName: String
        package let candidate: Candidate
    }

    /// A line of `metadata.jsonl`.
    package struct Record: Codable, Equatable {
        package let fileName: String
        package let text: String
        package let seed: UInt64

        package enum CodingKeys: String, CodingKey {
            case text, seed
            case fileName = "file_name"
        }
    }

    package let url: URL

    private var settingsFile: URL { url.appendingPathComponent("sample.json") }
    private var metadataFile: URL { url.appendingPathComponent("metadata.jsonl") }

    /// Opens the folder for images of these settings.
    ///
    /// - Throws: if it holds something else.
    package init(_ url: URL, settings: Settings) throws {
        self.url = url
        let files = FileManager.default
        let entries = try Disk.listIfPresent(url.path) ?? []
        if let data = try Disk.readIfPresent(settingsFile.path) {
            guard let found = try? JSONDecoder().decode(Settings.self, from: data), found == settings else {
                throw Failure("\(url.path): holds images of other settings or prompts; give --to another folder")
            }
            return
        }
        guard entries.isEmpty else { throw Failure("\(url.path): is not empty; give --to a new or empty folder") }
        do {
            try files.createDirectory(at: url, withIntermediateDirectories: true)
            try Data(try jsonText(settings).utf8).write(to: settingsFile, options: .atomic)
        } catch {
            throw Failure("\(url.path): cannot be written (\(error.localizedDescription)); check --to")
        }
    }

    /// Opens a folder that `sample` has filled.
    package init(existing url: URL) {
        self.url = url
    }

    /// The images of every prompt; candidate i of each uses seed + i.
    package static func images(prompts: [String], imagesPerPrompt: Int, seed: UInt64) -> [Image] {
        prompts.enumerated().flatMap { index, prompt in
            (0..<imagesPerPrompt).map { offset in
                let candidate = Candidate(prompt: prompt, seed: seed &+ UInt64(offset))
                return Image(
                    fileName: String(format: "%04d", index + 1) + "-\(candidate.seed).png", candidate: candidate)
            }
        }
    }

    func has(_ image: Image) throws(DiskError) -> Bool {
        try Disk.exists(url.appendingPathComponent(image.fileName).path)
    }

    func write(_ pixels: RGBImage, as image: Image) throws {
        let bytes = try PNG.encode(pixels)
        let file = url.appendingPathComponent(image.fileName)
        do {
            try Data(bytes).write(to: file, options: .atomic)
        } catch {
            throw Failure("\(file.path): cannot be written (\(error.localizedDescription)); make room and run it again")
        }
    }

    func writeMetadata(_ images: [Image]) throws {
        let encoder = JSONEncoder.stable
        var lines = Data()
        for image in images {
            let record = Record(
                fileName: image.fileName, text: image.candidate.prompt, seed: image.candidate.seed)
            lines += try encoder.encode(record)
            lines.append(UInt8(ascii: "\n"))
        }
        try lines.write(to: metadataFile, options: .atomic)
    }

    /// What the folder holds, in order.
    package func records() throws -> [Record] {
        guard let data = try Disk.readIfPresent(metadataFile.path) else {
            throw Failure("\(url.path): has no metadata.jsonl; give a folder that attune sample has finished")
        }
        return try data.split(separator: UInt8(ascii: "\n")).map { line in
            guard let record = try? JSONDecoder().decode(Record.self, from: line) else {
                throw Failure("\(metadataFile.path): is damaged; make the folder again with attune sample")
            }
            return record
        }
    }
}
