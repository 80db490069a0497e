import Codecs
import CorpusStore
package import Diffusion
import DiskAccess
package import Foundation
package import Statistics
import Tensors

/// What `attune features` does: runs a vision encoder over images.
package struct FeatureJob: Sendable {
    /// A folder of transformers with CLIP or DINOv2.
    package let encoder: URL
    /// Which copy of the weights; nil for the plain one, or the only one there.
    package var variant: String?
    /// Fields of the encoder's files that are left out.
    package var ignoredFields: [String] = []
    /// Images that are encoded together.
    package var batch = 16
    /// Whether each vector is scaled to length 1.
    package var isNormalized = false

    package init(encoder: URL) { self.encoder = encoder }

    /// - Throws: ``ModelError`` where the folder is none, or asks for what is not run here.
    package func load() throws -> VisionEncoder {
        try VisionEncoder(folder: encoder, variant: variant, ignoring: IgnoredFields(ignoredFields))
    }

    /// The features of all images; nil if it was stopped.
    ///
    /// - Throws: naming the image that cannot be read, and ``MetricsError`` where features are no numbers.
    package func features(
        of images: ImageSupply, by encoder: VisionEncoder, monitor: some WorkMonitor
    ) throws -> FeatureTable? {
        try features(of: images, by: encoder, partial: nil, monitor: monitor)
    }

    /// - Parameter partial: where the features that are done are kept, and those of an earlier run come from.
    private func features(
        of images: ImageSupply, by encoder: VisionEncoder, partial: PartialFeatures?, monitor: some WorkMonitor
    ) throws -> FeatureTable? {
        monitor.begin(total: images.count)
        // Whole batches: each is computed as it was the first time.
        let done = (partial?.values.count ?? 0) / max(encoder.featureSize, 1)
        let first = done >= images.count ? images.count : done / batch * batch
        var values = Array((partial?.values ?? []).prefix(first * encoder.featureSize))
        values.reserveCapacity(images.count * encoder.featureSize)
        if first > 0 { monitor.update(first) }
        for start in stride(from: first, to: images.count, by: batch) {
            if monitor.isCancelled { return nil }
            let range = start..<min(start + batch, images.count)
            let features = encoder(try images.images(range)).values
            values += features
            // Those of a batch that was half there are on the disk already.
            try partial?.append(Array(features.dropFirst(max(done - start, 0) * encoder.featureSize)))
            monitor.update(range.upperBound)
        }
        let table = FeatureTable(
            values: values, width: encoder.featureSize, names: images.names, nameKey: images.nameKey,
            encoder: encoder.identity, source: images.source)
        return isNormalized ? table.normalized : table
    }

    /// Writes the features of all images to a .npz file, in place of one that is there. It appears whole or not at all;
    /// what a run that was stopped or killed had done is kept beside it, and is not done again.
    ///
    /// - Returns: how many images; nil if it was stopped.
    package func run(over images: ImageSupply, to file: URL, monitor: some WorkMonitor) throws -> Int? {
        let encoder = try load()
        let identity = Digest(
            of: Array((["features 1", encoder.identity] + images.names).joined(separator: "\n").utf8))
        let partial = try PartialFeatures(for: file, of: identity, width: encoder.featureSize)
        guard let table = try features(of: images, by: encoder, partial: partial, monitor: monitor) else { return nil }
        try table.write(to: file)
        try partial.discard()
        return table.count
    }
}

/// Feature vectors of images with their names, `[images, width]`.
package struct FeatureTable: Sendable {
    package let values: [Float]
    package let width: Int
    package let names: [String]
    /// What the names are: `file_names` or `ids`.
    package let nameKey: String
    /// What made the features.
    package let encoder: String
    /// Where the images come from, for messages.
    package let source: String

    package var count: Int { names.count }

    /// Every vector scaled to length 1; vectors of zeros stay.
    package var normalized: FeatureTable {
        var scaled = values
        for row in 0..<count {
            let range = row * width..<(row + 1) * width
            let length = scaled[range].reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            if length > 0 { for index in range { scaled[index] = Float(Double(scaled[index]) / length) } }
        }
        return FeatureTable(
            values: scaled, width: width, names: names, nameKey: nameKey, encoder: encoder, source: source)
    }

    /// For distances between distributions.
    package var features: Features {
        get throws(MetricsError) {
            try Features(
                DoubleMatrix(rows: count, columns: width, values: values.map(Double.init)), names: names,
                encoder: encoder, source: source)
        }
    }

    /// Writes `features`, the names and `encoder` as arrays of a .npz file. It appears whole or not at all.
    package func write(to file: URL) throws {
        let folder = file.standardizedFileURL.deletingLastPathComponent()
        try Disk.makeFolder(folder.path)
        let files = AtomicFiles(temporaryFolder: folder)
        let temporary = try files.temporaryFile()
        var archive = ZipWriter { try temporary.file.write($0) }
        try archive.add("features.npy", NumPyArray.file(values, shape: [count, width]))
        try archive.add(nameKey + ".npy", NumPyArray.file(names))
        try archive.add("encoder.npy", NumPyArray.file([encoder]))
        try archive.finish()
        try files.install(temporary.url, at: file.standardizedFileURL)
    }
}
