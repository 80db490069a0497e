import Codecs
import Corpus
package import Diffusion
import Disk
package import Foundation
package import Statistics
import Tensor

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
        monitor.begin(total: images.count)
        var values: [Float] = []
        values.reserveCapacity(images.count * encoder.featureSize)
        for start in stride(from: 0, to: images.count, by: batch) {
            if monitor.isCancelled { return nil }
            let range = start..<min(start + batch, images.count)
            let features = encoder(try images.images(range))
            features.withValues { values += $0 }
            monitor.update(range.upperBound)
        }
        let table = FeatureTable(
            values: values, width: encoder.featureSize, names: images.names, nameKey: images.nameKey,
            encoder: encoder.identity, source: images.source)
        return isNormalized ? table.normalized : table
    }

    /// Writes the features of all images to a .npz file, in place of one that is there. It appears whole or not at all.
    ///
    /// - Returns: how many images; nil if it was stopped, and nothing was written.
    package func run(over images: ImageSupply, to file: URL, monitor: some WorkMonitor) throws -> Int? {
        guard let table = try features(of: images, by: load(), monitor: monitor) else { return nil }
        try table.write(to: file)
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
