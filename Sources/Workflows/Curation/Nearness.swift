package import CorpusStore
import Curation

/// What makes two samples near-duplicates.
package struct Nearness: Sendable {
    package enum Method: Sendable, Hashable {
        /// Perceptual hashes and thumbnails of the images.
        case images
        /// The cosine of vectors; nil for the only ones, or those of the latents.
        case vectors(String?)

        /// - Parameter text: `phash`, `images`, `vectors`, or the name of some.
        package init(_ text: String) {
            switch text {
            case "phash", "images": self = .images
            case "vectors": self = .vectors(nil)
            default: self = .vectors(text)
            }
        }
    }

    package var method = Method.images
    /// Nil for the method's own.
    package var threshold: Double?
    /// Whether prints of images that had to be made are stored in the corpus.
    package var keepsPrints = true

    package init(_ method: Method = .images, threshold: Double? = nil) {
        (self.method, self.threshold) = (method, threshold)
    }

    package var usedThreshold: Double {
        threshold
            ?? (method == .images ? Double(DuplicateFinder().threshold) : Double(VectorDuplicates.defaultThreshold))
    }

    /// Groups of near-duplicates among some samples, by their places, and each member's distance to the nearest other one.
    ///
    /// - Returns: nil if it was stopped.
    /// - Throws: ``UsageError`` for a threshold out of bounds; what ``PrintStore`` and ``VectorStore`` throw.
    package func groups<Monitor: WorkMonitor>(
        _ samples: [Digest], in corpus: Corpus, monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> (groups: [[Int]], nearest: [Int: Float])? {
        let limit = Float(usedThreshold)
        guard limit.isFinite, DuplicateFinder.thresholds.contains(limit) else {
            throw UsageError(
                "--threshold is \(usedThreshold); it must be from 0 to \(DuplicateFinder.thresholds.upperBound)")
        }
        do {
            switch method {
            case .images:
                guard let prints = try PrintStore(corpus, keepsNew: keepsPrints).prints(of: samples, monitor: monitor)
                else { return nil }
                let watch = monitor("duplicates", "images")
                watch.begin(total: samples.count)
                var finder = DuplicateFinder()
                finder.threshold = limit
                return try finder.groups(prints, isCancelled: { watch.isCancelled }, progress: watch.update)
            case .vectors(let name):
                guard
                    let vectors = try VectorStore(corpus).vectors(
                        of: SampleReader(corpus).rows(samples), named: name, monitor: monitor)
                else {
                    return nil
                }
                let watch = monitor("duplicates", "samples")
                watch.begin(total: samples.count)
                return try VectorDuplicates.groups(
                    vectors, threshold: limit, isCancelled: { watch.isCancelled }, progress: watch.update)
            }
        } catch is CancellationError {
            return nil
        }
    }
}
