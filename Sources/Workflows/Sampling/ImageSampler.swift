import Diffusion

/// Makes images for a list of prompts into a plain folder: PNG files, `metadata.jsonl` and the settings.
///
/// Started again with the same settings it makes only what is missing.
package struct ImageSampler {
    private let maker: CandidateMaker
    private let folder: SampleFolder
    private let batch: Int

    package init(maker: CandidateMaker, folder: SampleFolder, batch: Int) {
        (self.maker, self.folder, self.batch) = (maker, folder, batch)
    }

    /// - Parameters:
    ///   - images: all that the folder is to have.
    ///   - monitor: told how many images the folder has.
    /// - Throws: `ModelError`, and ``Failure`` for what cannot be written; images that are in the folder stay.
    package func run(_ images: [SampleFolder.Image], monitor: some WorkMonitor) throws -> WorkOutcome {
        let missing = try images.filter { try !folder.has($0) }
        var outcome = WorkOutcome(total: images.count)
        outcome.skipped = images.count - missing.count
        var cache = EmbeddingCache()
        var failed: Set<String> = []
        monitor.begin(total: images.count)
        for start in stride(from: 0, to: missing.count, by: batch) {
            if monitor.isCancelled {
                outcome.isFinished = false
                return outcome
            }
            let part = Array(missing[start..<min(start + batch, missing.count)])
            let made = try maker.make(part.map(\.candidate), cache: &cache) { share in
                monitor.update(outcome.skipped + start + Int(Double(part.count) * share))
            }
            cache.takeWarnings().forEach(monitor.warn)
            for (image, generation) in zip(part, made) {
                guard generation.isFinite else {
                    monitor.warn("attune: " + maker.complaint(image.candidate))
                    failed.insert(image.fileName)
                    outcome.failed += 1
                    continue
                }
                try folder.write(generation.image, as: image)
                outcome.made += 1
            }
        }
        try folder.writeMetadata(images.filter { !failed.contains($0.fileName) })
        return outcome
    }
}
