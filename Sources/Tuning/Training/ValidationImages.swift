import Codecs
import CorpusStore
package import Diffusion
import Foundation
import Images

/// Images that a run makes of the same prompts and seeds as it proceeds.
package struct ValidationImages: Sendable {
    package var prompts: [String]
    package var steps = 25
    package var guidance: Float = 3
    package var sampler = SamplerKind.ddim
    package var seed: UInt64 = 42
    /// Images that are made together.
    package var batch = 8

    package init(prompts: [String]) { self.prompts = prompts }

    /// One finished image.
    struct Made {
        let name: String
        let prompt: String
        let width, height: Int
        let png: [UInt8]
    }

    /// Makes the images of a network; nil where it was stopped between two batches.
    func make(_ model: DiffusionModel, _ network: Network, isCancelled: () -> Bool) throws -> [Made]? {
        let model = model.replacing(unet: network.unet)
        var made: [Made] = []
        for first in stride(from: 0, to: prompts.count, by: batch) {
            if isCancelled() { return nil }
            let places = first..<min(first + batch, prompts.count)
            var request = GenerationRequest(
                prompts: model.encode(prompts: Array(prompts[places])), seeds: places.map { _ in seed }, steps: steps,
                guidance: guidance, sampler: sampler)
            request.adapters = network.adapters
            request.baseline = .none
            for (place, generation) in zip(places, try model.generate(request)) {
                let image = generation.image
                let number = String(place + 1)
                made.append(
                    Made(
                        name: String(repeating: "0", count: max(0, 4 - number.count)) + "\(number)-\(seed).png",
                        prompt: prompts[place], width: image.width, height: image.height,
                        png: try PNG.encode(width: image.width, height: image.height, pixels: image.pixels)))
            }
        }
        return made
    }

    private struct Line: Encodable {
        let fileName, text: String
        let seed: UInt64

        enum CodingKeys: String, CodingKey {
            case text, seed
            case fileName = "file_name"
        }
    }

    /// Writes images and their prompts as an image folder has them.
    func write(_ images: [Made], to folder: URL, files: AtomicFiles) throws {
        var lines = Data()
        for image in images {
            try files.write(image.png, to: folder.appending(path: image.name))
            lines += try JSONEncoder.stable.encode(Line(fileName: image.name, text: image.prompt, seed: seed))
            lines.append(UInt8(ascii: "\n"))
        }
        try files.write(lines, to: folder.appending(path: "metadata.jsonl"))
    }
}
