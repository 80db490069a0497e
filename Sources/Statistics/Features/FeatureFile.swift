import Codecs
import DiskAccess
import Foundation
import Tensors

/// What a file of features holds.
package enum FeatureFile: Sendable {
    /// A vector of each image.
    case features(Features)
    /// Their mean and covariance alone, as pytorch-fid keeps them (`mu` and `sigma`).
    case statistics(FeatureStatistics)

    package var width: Int {
        switch self {
        case .features(let features): features.width
        case .statistics(let statistics): statistics.width
        }
    }

    package var source: String {
        switch self {
        case .features(let features): features.source
        case .statistics(let statistics): statistics.source
        }
    }

    /// Names of arrays that hold features, the likeliest first: those of Attune, dgm-eval, and NumPy for arrays without
    /// names.
    static let featureKeys = ["features", "reps", "embeddings", "vectors", "feats", "arr_0"]
    /// Names of arrays that hold names of images.
    static let nameKeys = ["ids", "file_names", "filenames", "names"]

    /// Reads a `.npy` file, or a `.npz` file with features or with `mu` and `sigma`. Its content counts, not its name.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - key: the array of a `.npz` file that holds the features; nil to find it by its name or shape.
    /// - Throws: ``MetricsError`` saying what is wrong with which file.
    package init(_ path: String, key: String? = nil) throws(MetricsError) {
        let data: Data
        do throws(DiskError) { data = try Disk.read(path) } catch { throw MetricsError(error.path, error.message) }
        do throws(CodecError) {
            if data.starts(with: NumPyArray.signature) {
                let matrix = try Self.matrix(NumPyArray(data))
                try self.init(matrix, names: nil, path)
            } else if data.starts(with: ZipArchive.signature) {
                try self.init(NumPyArchive(data), key: key, path)
            } else {
                throw CodecError(
                    data.isEmpty
                        ? "is empty: its features were not written to the end"
                        : "is neither a .npy nor a .npz file of NumPy")
            }
        } catch {
            throw MetricsError(path, error.description)
        }
    }

    private init(_ archive: NumPyArchive, key: String?, _ path: String) throws(CodecError) {
        var key = key
        if key == nil { key = try Self.featureKey(archive) }
        if let key {
            let names = try Self.names(archive)
            let encoder = archive.keys.contains("encoder") ? try archive.array("encoder").texts?.first : nil
            try self.init(Self.matrix(archive.array(key)), names: names, encoder: encoder, path)
            return
        }
        let (mean, covariance) = (try archive.array("mu"), try archive.array("sigma"))
        guard let mu = mean.doubles, let sigma = covariance.doubles, mean.shape.count == 1,
            covariance.shape == [mu.count, mu.count]
        else {
            throw CodecError(
                "has mu of the shape \(mean.shape) and sigma of \(covariance.shape); they must be [d] and [d, d]")
        }
        do throws(MetricsError) {
            self = .statistics(
                try FeatureStatistics(
                    mean: mu, covariance: DoubleMatrix(rows: mu.count, columns: mu.count, values: sigma), source: path))
        } catch {
            throw CodecError(error.message)
        }
    }

    private init(
        _ matrix: DoubleMatrix, names: [String]?, encoder: String? = nil, _ path: String
    ) throws(CodecError) {
        do throws(MetricsError) {
            self = .features(try Features(matrix, names: names, encoder: encoder, source: path))
        } catch {
            throw CodecError(error.message)
        }
    }

    /// The array that holds features; nil where the archive has a mean and a covariance instead.
    private static func featureKey(_ archive: NumPyArchive) throws(CodecError) -> String? {
        if let known = featureKeys.first(where: archive.keys.contains) { return known }
        if archive.keys.contains("mu"), archive.keys.contains("sigma") { return nil }
        var tables: [String] = []
        for key in archive.keys {
            // Others may hold anything, settings pickled by Python included.
            guard let array = try? archive.array(key) else { continue }
            if array.element.isFloat, array.shape.count == 2 { tables.append(key) }
        }
        if tables.count == 1 { return tables[0] }
        let list = archive.keys.joined(separator: ", ")
        if tables.isEmpty, archive.keys.count == 1 { return archive.keys[0] }
        throw CodecError(
            tables.isEmpty
                ? "has no array of features, and no mu and sigma; it has \(list)"
                : "has several arrays that may be features, \(tables.joined(separator: ", ")): choose one with --key")
    }

    private static func names(_ archive: NumPyArchive) throws(CodecError) -> [String]? {
        guard let key = nameKeys.first(where: archive.keys.contains) else { return nil }
        return try archive.array(key).texts
    }

    private static func matrix(_ array: NumPyArray) throws(CodecError) -> DoubleMatrix {
        guard array.element.isFloat else { throw CodecError("holds no floating-point numbers") }
        guard array.shape.count == 2 else {
            throw CodecError(
                "has the shape \(array.shape); features are [images, dimensions]: pool or flatten them first")
        }
        return DoubleMatrix(rows: array.shape[0], columns: array.shape[1], values: array.doubles ?? [])
    }
}
