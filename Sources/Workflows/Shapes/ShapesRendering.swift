import Codecs
import DiskAccess
package import Foundation
import Randomness
import Shapes

/// What `attune shapes render` does: images that show what prompts of the shapes benchmark ask for, as an imagefolder.
package struct ShapesRendering: Sendable {
    package let prompts: URL
    /// The folder to fill: images and `metadata.jsonl` in `train/`, settings in `shapes.json`.
    package let folder: URL
    package var perPrompt = 10
    package var seed: UInt64 = 42

    package init(prompts: URL, folder: URL) { (self.prompts, self.folder) = (prompts, folder) }

    private struct Settings: Codable, Equatable {
        let prompts: [String]
        let perPrompt: Int
        let seed: String
    }

    private struct Row: Encodable {
        let fileName: String
        let text: String
        let category: String
    }

    /// Renders what the folder lacks. The metadata comes last: a folder that has it is whole.
    ///
    /// - Throws: ``PromptFileError``; ``Failure`` for a prompt that is not of the grammar, and a folder with other contents.
    package func run(monitor: some WorkMonitor) throws -> WorkOutcome {
        let texts = try PromptFile(prompts).prompts
        let parsed = try texts.map { text in
            guard let prompt = ShapesPrompt(text) else {
                throw Failure(
                    "\(prompts.path): '\(text)' is not a prompt of the shapes benchmark; attune shapes prompts writes those that are"
                )
            }
            return prompt
        }
        try open(Settings(prompts: texts, perPrompt: perPrompt, seed: String(seed)))
        let images = folder.appending(path: "train")
        try Disk.makeFolder(images.path)
        let present = Set(try Disk.listIfPresent(images.path) ?? [])
        var outcome = WorkOutcome(total: parsed.count * perPrompt)
        var lines: [String] = []
        monitor.begin(total: outcome.total)
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for (place, prompt) in parsed.enumerated() {
            for index in 0..<perPrompt {
                if monitor.isCancelled {
                    outcome.isFinished = false
                    return outcome
                }
                let name = "\(padded(place, parsed.count))-\(padded(index, perPrompt)).png"
                lines.append(
                    String(
                        decoding: try encoder.encode(
                            Row(fileName: name, text: prompt.text, category: prompt.category.rawValue)), as: UTF8.self))
                if present.contains(name) {
                    outcome.skipped += 1
                } else {
                    try write(Self.draw(prompt, seed: seed, index: index), to: images.appending(path: name))
                    outcome.made += 1
                }
                monitor.update(outcome.made + outcome.skipped)
            }
        }
        try write(Data((lines.joined(separator: "\n") + "\n").utf8), to: images.appending(path: "metadata.jsonl"))
        return outcome
    }

    /// The PNG file of the `index`-th image of a prompt: the same for the same seed, whatever the other prompts are.
    private static func draw(_ prompt: ShapesPrompt, seed: UInt64, index: Int) throws -> Data {
        let own = SplitMix64.hash(prompt.text, from: seed)
        var generator = SplitMix64(seed: own &+ UInt64(index) &* 0xd134_2543_de82_ef95)
        let pixels = ShapesRenderer.draw(ShapesLayout(prompt, using: &generator))
        return Data(try PNG.encode(width: ShapesLayout.side, height: ShapesLayout.side, pixels: pixels))
    }

    private func open(_ settings: Settings) throws {
        let file = folder.appending(path: "shapes.json")
        if let data = try Disk.readIfPresent(file.path) {
            guard let found = try? JSONDecoder().decode(Settings.self, from: data), found == settings else {
                throw Failure("\(folder.path): holds images of other prompts or settings; give --to another folder")
            }
            return
        }
        guard try (Disk.listIfPresent(folder.path) ?? []).isEmpty else {
            throw Failure("\(folder.path): is not empty; give --to a new or empty folder")
        }
        try Disk.makeFolder(folder.path)
        try write(try JSONEncoder().encode(settings), to: file)
    }

    private func write(_ data: Data, to file: URL) throws {
        do { try data.write(to: file, options: .atomic) } catch {
            throw Failure("\(file.path): cannot be written (\(error.localizedDescription)); check --to")
        }
    }

    private func padded(_ number: Int, _ count: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, String(max(count - 1, 0)).count - digits.count)) + digits
    }
}

/// What `attune shapes prompts` does: the benchmark's prompts as files, a category behind each.
package enum ShapesPromptFiles {
    /// - Returns: the files `train.txt` and `test.txt` with how many prompts are in each.
    /// - Throws: ``Failure`` where a file of that name has other contents.
    package static func write(to folder: URL) throws -> [(file: URL, prompts: Int)] {
        try Disk.makeFolder(folder.path)
        return try [("train.txt", PromptSets.train), ("test.txt", PromptSets.test)].map { name, prompts in
            let file = folder.appending(path: name)
            let text = prompts.map { "\($0.text)\t\($0.category.rawValue)\n" }.joined()
            if let present = try Disk.readIfPresent(file.path), present != Data(text.utf8) {
                throw Failure("\(file.path): holds something else; give --to another folder")
            }
            do { try Data(text.utf8).write(to: file, options: .atomic) } catch {
                throw Failure("\(file.path): cannot be written (\(error.localizedDescription)); check --to")
            }
            return (file, prompts.count)
        }
    }
}
