import HDF5
package import Foundation

/// Reads a sealed shard, from any number of threads.
package struct ShardReader: Sendable {
    package let digest: Digest
    package let ids: [Digest]
    let stamp: FileStamp
    private let manifestOffsets: [Int64]
    private let imageOffsets: [Int64]
    private let latentRows: [Int64]
    private let file: FileReader
    /// Whether any row may have a ``FlowTrace``.
    let hasFlows: Bool
    let path: String

    /// - Parameters:
    ///   - url: the shard's file.
    ///   - digest: what the file's SHA-256 must be.
    package init(_ url: URL, digest: Digest) throws(CorpusError) {
        try self.init(SealedFile(url, digest: digest))
    }

    init(_ sealed: SealedFile) throws(CorpusError) {
        guard sealed.format == ShardWriter.format else {
            throw CorpusError(.damaged, sealed.path, "is not a shard of samples")
        }
        (path, digest, file, stamp) = (sealed.path, sealed.digest, sealed.file, sealed.stamp)
        let (path, file) = (sealed.path, sealed.file)
        do throws(HDF5Error) {
            let raw = try file.read("/samples/id", of: UInt8.self, rank: 2)
            guard raw.shape[1] == 32 else { throw HDF5Error(path: path, object: "/samples/id", "is not [n, 32]") }
            ids = raw.values.withUnsafeBytes { bytes in
                (0..<raw.shape[0]).map {
                    Digest(bytes: UnsafeRawBufferPointer(rebasing: bytes[32 * $0..<32 * $0 + 32]))
                }
            }
            manifestOffsets = try Self.offsets(
                "/samples/manifest_offset", end: file.shape("/samples/manifest", of: UInt8.self, rank: 1)[0], file)
            imageOffsets = try Self.offsets(
                "/images/offset", end: file.shape("/images/png", of: UInt8.self, rank: 1)[0], file)
            latentRows = try file.read("/samples/latent_row", of: Int64.self, rank: 1).values
            hasFlows = try file.members(of: "/traces").contains("sigma")
            guard manifestOffsets.count == ids.count + 1, imageOffsets.count == ids.count + 1,
                latentRows.count == ids.count
            else { throw HDF5Error(path: path, object: "/samples", "columns differ in length") }
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// Canonical JSON of one row. Read when it is asked for: readers that stay open would hold much that nobody wants.
    package func manifest(_ row: Int) throws(CorpusError) -> [UInt8] {
        do throws(HDF5Error) {
            return try file.read(
                "/samples/manifest", range: Int(manifestOffsets[row])..<Int(manifestOffsets[row + 1]), of: UInt8.self)
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// Those of all rows, read at once.
    package func manifests() throws(CorpusError) -> ShardManifests {
        do throws(HDF5Error) {
            return ShardManifests(
                bytes: try file.read("/samples/manifest", of: UInt8.self, rank: 1).values, offsets: manifestOffsets)
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// Of all rows.
    package func prompts() throws(CorpusError) -> [String] {
        do throws(HDF5Error) {
            let bytes = try file.read("/prompts/text", of: UInt8.self, rank: 1).values
            let starts = try Self.offsets("/prompts/text_offset", end: bytes.count, file)
            let texts = zip(starts, starts.dropFirst()).map {
                String(decoding: bytes[Int($0)..<Int($1)], as: UTF8.self)
            }
            let which = try file.read("/samples/prompt", of: Int64.self, rank: 1).values
            guard which.count == ids.count, which.allSatisfy({ $0 >= 0 && $0 < texts.count }) else {
                throw HDF5Error(path: path, object: "/samples/prompt", "does not fit the prompts")
            }
            return which.map { texts[Int($0)] }
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// The PNG files of some rows.
    package func images(_ rows: [Int]) throws(CorpusError) -> [[UInt8]] {
        do throws(HDF5Error) {
            return try rows.map { row throws(HDF5Error) in
                guard ids.indices.contains(row) else {
                    throw HDF5Error(path: path, object: "/images", "lacks row \(row)")
                }
                return try file.read(
                    "/images/png", range: Int(imageOffsets[row])..<Int(imageOffsets[row + 1]), of: UInt8.self)
            }
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// The latents of rows that share one shape.
    ///
    /// - Parameters:
    ///   - rows: of this shard, in any order.
    ///   - shape: channels, height, width; empty for samples that have none.
    package func latents(_ rows: [Int], shape: [Int]) throws(CorpusError) -> [[Float]] {
        if shape.isEmpty { return rows.map { _ in [] } }
        let latents = try latents(shape)
        return try rows.map { (row) throws(CorpusError) in try latents.row(row) }
    }

    /// - Parameter shape: channels, height, width.
    func latents(_ shape: [Int]) throws(CorpusError) -> LatentReader {
        do throws(HDF5Error) {
            let chunks = try file.chunks(
                "/latents/\(shape.map(String.init).joined(separator: "x"))", of: Float.self, rank: 4)
            guard Array(chunks.shape.dropFirst()) == shape else {
                throw HDF5Error(path: path, object: "/latents", "are not of the shape that their name says")
            }
            return LatentReader(chunks: chunks, rows: latentRows, path: path)
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// The traces of all rows, without padding.
    package func traces() throws(CorpusError) -> [(timesteps: [Int32], deltaSquared: [Float])] {
        try traces(0..<ids.count)
    }

    package func traces(
        _ rows: Range<Int>
    ) throws(CorpusError) -> [(timesteps: [Int32], deltaSquared: [Float])] {
        do throws(HDF5Error) {
            let (timesteps, width) = try file.read("/traces/timestep", rows: rows, of: Int32.self)
            let deltas = try file.read("/traces/delta_sq", rows: rows, of: Float.self)
            guard deltas.width == width else {
                throw HDF5Error(path: path, object: "/traces", "columns differ in shape")
            }
            return (0..<rows.count).map { row in
                let range = row * width..<(row + 1) * width
                let kept = timesteps[range].prefix { $0 >= 0 }
                return (Array(kept), Array(deltas.values[range].prefix(kept.count)))
            }
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// A further column of the traces.
    func trace(_ name: String, _ rows: Range<Int>) throws(CorpusError) -> (values: [Float], width: Int) {
        do throws(HDF5Error) { return try file.read(name, rows: rows, of: Float.self) } catch {
            throw CorpusError(damage: error)
        }
    }

    /// Bytes of manifests and images.
    var storedBytes: Int { Int(manifestOffsets.last ?? 0) + Int(imageOffsets.last ?? 0) }

    /// The names of a group's datasets and groups.
    func members(of group: String) throws(CorpusError) -> [String] {
        do throws(HDF5Error) { return try file.members(of: group) } catch { throw CorpusError(damage: error) }
    }

    /// Checks every sample's manifest against its id.
    package func verify() throws(CorpusError) {
        let manifests = try manifests()
        for (row, id) in ids.enumerated() {
            guard manifests.with(row, { Digest(ofBytes: UnsafeRawBufferPointer($0)) }) == id else {
                throw CorpusError(.damaged, path, "sample \(id) does not match its manifest")
            }
        }
    }

    private static func offsets(
        _ name: String, end: Int, _ file: FileReader
    ) throws(HDF5Error) -> [Int64] {
        let starts = try file.read(name, of: Int64.self, rank: 1).values
        guard starts.first == 0, starts.last == Int64(end), zip(starts, starts.dropFirst()).allSatisfy(<=)
        else { throw HDF5Error(path: file.path, object: name, "offsets do not fit the data") }
        return starts
    }
}

/// Reads the latents of one shape, from any number of threads.
struct LatentReader: Sendable {
    let chunks: ChunkReader<Float>
    /// Where the latent of each sample of the shard lies.
    let rows: [Int64]
    let path: String

    /// Of a latent.
    var valueCount: Int { chunks.count }

    /// - Parameter sample: its row in the shard.
    func row(_ sample: Int) throws(CorpusError) -> [Float] {
        let place = try place(sample)
        do throws(HDF5Error) { return try chunks.row(place) } catch { throw CorpusError(damage: error) }
    }

    /// - Parameter latent: as many values as a latent has; they are replaced.
    func read(_ sample: Int, into latent: inout [Float]) throws(CorpusError) {
        let place = try place(sample)
        do throws(HDF5Error) {
            try latent.withUnsafeMutableBufferPointer { (values) throws(HDF5Error) in
                try chunks.read(place, into: values)
            }
        } catch { throw CorpusError(damage: error) }
    }

    private func place(_ sample: Int) throws(CorpusError) -> Int {
        guard rows.indices.contains(sample), let place = Int(exactly: rows[sample]) else {
            throw CorpusError(.damaged, path, "/samples/latent_row lacks row \(sample)")
        }
        return place
    }
}
