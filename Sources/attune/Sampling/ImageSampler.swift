import Codecs
import Diffusion
import Foundation

/// Makes images for a list of prompts into a plain folder: PNG files, `metadata.jsonl` and the settings.
///
/// Started again with the same settings it makes only what is missing.
struct ImageSampler {
    let maker: CandidateMaker
    let folder: SampleFolder
    let batch: Int

    /// - Returns: how many images were made, and whether all of them are there.
    func run(
        _ images: [SampleFolder.Image], isCancelled: () -> Bool, report: (_ done: Int, _ images: Int) -> Void,
        warn: (String) -> Void
    ) throws -> (made: Int, isFinished: Bool) {
        let missing = images.filter { !folder.has($0) }
        var cache = EmbeddingCache()
        for start in stride(from: 0, to: missing.count, by: batch) {
            if isCancelled() { return (start, false) }
            let part = Array(missing[start..<min(start + batch, missing.count)])
            let made = try maker.make(part.map(\.candidate), cache: &cache) { step in
                report(images.count - missing.count + start + part.count * step / maker.steps, images.count)
            }
            cache.takeWarnings().forEach(warn)
            for (image, generation) in zip(part, made) { try folder.write(generation.image, as: image) }
        }
        try folder.writeMetadata(images)
        return (missing.count, true)
    }
}
