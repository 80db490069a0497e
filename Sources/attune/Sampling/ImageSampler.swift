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

    /// - Returns: how many images were made, how many came out unusable, and whether the work is done.
    func run(
        _ images: [SampleFolder.Image], isCancelled: () -> Bool, report: (_ done: Int, _ images: Int) -> Void,
        warn: (String) -> Void
    ) throws -> (made: Int, failed: Int, isFinished: Bool) {
        let missing = images.filter { !folder.has($0) }
        var cache = EmbeddingCache()
        var failed: Set<String> = []
        for start in stride(from: 0, to: missing.count, by: batch) {
            if isCancelled() { return (start - failed.count, failed.count, false) }
            let part = Array(missing[start..<min(start + batch, missing.count)])
            let made = try maker.make(part.map(\.candidate), cache: &cache) { share in
                report(images.count - missing.count + start + Int(Double(part.count) * share), images.count)
            }
            cache.takeWarnings().forEach(warn)
            for (image, generation) in zip(part, made) {
                guard generation.isFinite else {
                    warn("attune: " + CandidateMaker.complaint(image.candidate))
                    failed.insert(image.fileName)
                    continue
                }
                try folder.write(generation.image, as: image)
            }
        }
        try folder.writeMetadata(images.filter { !failed.contains($0.fileName) })
        return (missing.count - failed.count, failed.count, true)
    }
}
