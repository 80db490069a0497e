package import CorpusStore
import Diffusion
import DiskAccess
import Foundation
package import Statistics

/// What `attune quality` does: compares generated images with real ones by their features.
package struct QualityJob: Sendable {
    package var settings = QualitySettings()
    /// Makes the features of images; nil where both sides are files of features.
    package var extraction: FeatureJob?
    /// The array of a .npz file that holds the features.
    package var key: String?
    /// Whether each vector is scaled to length 1.
    package var isNormalized = false

    package init() {}

    /// - Parameters:
    ///   - reference: real images: a file of features, a folder of images, or a corpus's selection.
    ///   - generated: the same of generated images.
    ///   - corpus: opens the corpus that selections are of; asked where a name is neither a file nor a folder.
    ///   - monitor: makes what watches a part of the work, by its title and what it counts.
    /// - Returns: nil if it was stopped.
    package func run<Monitor: WorkMonitor>(
        _ reference: String, _ generated: String, corpus: () throws -> Corpus,
        monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> QualityReport? {
        var encoder: VisionEncoder?
        var sides: [FeatureFile] = []
        for name in [reference, generated] {
            guard let side = try side(name, corpus, &encoder, monitor) else { return nil }
            sides.append(isNormalized ? try side.normalized : side)
        }
        var current: (metric: QualityMetric, monitor: Monitor)?
        do {
            return try QualityReport(
                reference: sides[0], generated: sides[1], settings,
                isCancelled: { current?.monitor.isCancelled ?? false },
                progress: { metric, done, total in
                    if current?.metric != metric {
                        let next = monitor(metric.rawValue, "steps")
                        next.begin(total: total)
                        current = (metric, next)
                    }
                    current?.monitor.update(done)
                })
        } catch is CancellationError {
            return nil
        }
    }

    private func side<Monitor: WorkMonitor>(
        _ name: String, _ corpus: () throws -> Corpus, _ encoder: inout VisionEncoder?,
        _ monitor: (_ title: String, _ unit: String) -> Monitor
    ) throws -> FeatureFile? {
        let status = try Disk.status(name)
        let isFolder = status.map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
        if status != nil, !isFolder { return try FeatureFile(name, key: key) }
        guard let extraction else {
            throw Failure(
                isFolder
                    ? "\(name): is a folder; its images need an encoder: give --encoder DIR, or a file of features"
                    : "\(name): there is no such file of features; a selection needs --encoder DIR and --corpus C")
        }
        let images =
            isFolder
            ? try ImageSupply(folder: URL(fileURLWithPath: name, isDirectory: true))
            : try ImageSupply(corpus: corpus(), selection: name)
        let loaded = try encoder ?? extraction.load()
        encoder = loaded
        let watch = monitor("features", "images")
        guard let table = try extraction.features(of: images, by: loaded, monitor: watch) else { return nil }
        return .features(try table.features.called(name))
    }
}
