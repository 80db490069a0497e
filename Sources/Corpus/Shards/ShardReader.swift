import HDF5
package import Foundation

/// Reads a sealed shard. Opening verifies the digest of the whole file first: libhdf5 never sees bytes that nobody
/// vouches for.
package struct ShardReader: ~Copyable, Sendable {
    package let digest: Digest
    package let ids: [Digest]
    /// Canonical JSON, in the order of ``ids``.
    package let manifests: [Data]
    package let prompts: [String]
    private let file: FileReader
    private let path: String

    /// - Parameter digest: what the file's SHA-256 must be.
    package init(_ url: URL, digest: Digest) throws(CorpusError) {
        try self.init(SealedFile(url, digest: digest))
    }

    init(_ sealed: consuming SealedFile) throws(CorpusError) {
        guard sealed.format == ShardWriter.format else {
            throw CorpusError(.damaged, sealed.path, "is not a shard of samples")
        }
        let columns = try Self.columns(sealed.file)
        (ids, manifests, prompts) = (columns.ids, columns.manifests, columns.prompts)
        (path, digest) = (sealed.path, sealed.digest)
        file = sealed.file
    }

    /// What is read at once: small beside the rest of the file.
    private static func columns(
        _ file: borrowing FileReader
    ) throws(CorpusError) -> (ids: [Digest], manifests: [Data], prompts: [String]) {
        do throws(HDF5Error) {
            let raw = try file.read("/samples/id", of: UInt8.self, rank: 2)
            guard raw.shape[1] == 32 else { throw HDF5Error(path: file.path, object: "/samples/id", "is not [n, 32]") }
            let ids = stride(from: 0, to: raw.values.count, by: 32).map { Digest(raw: Array(raw.values[$0..<$0 + 32])) }
            let manifests = try pieces("/samples/manifest", "/samples/manifest_offset", file).map { Data($0) }
            let texts = try pieces("/prompts/text", "/prompts/text_offset", file)
            let which = try file.read("/samples/prompt", of: Int64.self, rank: 1).values
            guard manifests.count == ids.count, which.count == ids.count,
                which.allSatisfy({ $0 >= 0 && $0 < texts.count })
            else { throw HDF5Error(path: file.path, object: "/samples", "columns differ in length") }
            return (ids, manifests, which.map { String(decoding: texts[Int($0)], as: UTF8.self) })
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// The PNG files of some rows.
    package func images(_ rows: [Int]) throws(CorpusError) -> [[UInt8]] {
        do throws(HDF5Error) {
            let starts = try file.read("/images/offset", of: Int64.self, rank: 1).values
            return try rows.map { row throws(HDF5Error) in
                guard row >= 0, row + 1 < starts.count, starts[row] <= starts[row + 1] else {
                    throw HDF5Error(path: path, object: "/images", "lacks row \(row)")
                }
                return try file.read("/images/png", range: Int(starts[row])..<Int(starts[row + 1]), of: UInt8.self)
            }
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// The latents of rows that share one shape.
    ///
    /// - Parameter shape: channels, height, width; empty for samples that have none.
    package func latents(_ rows: [Int], shape: [Int]) throws(CorpusError) -> [[Float]] {
        if shape.isEmpty { return rows.map { _ in [] } }
        do throws(HDF5Error) {
            let of = try file.read("/samples/latent_row", of: Int64.self, rank: 1).values
            guard rows.allSatisfy({ of.indices.contains($0) }) else {
                throw HDF5Error(path: path, object: "/samples/latent_row", "lacks a row")
            }
            let name = shape.map(String.init).joined(separator: "x")
            return try file.readChunks(
                "/latents/\(name)", rows: rows.map { Int(of[$0]) }, of: Float.self, rank: 4
            ).values
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// The traces of all rows, without padding.
    package func traces() throws(CorpusError) -> [(timesteps: [Int32], deltaSquared: [Float])] {
        do throws(HDF5Error) {
            let timesteps = try file.read("/traces/timestep", of: Int32.self, rank: 2)
            let deltas = try file.read("/traces/delta_sq", of: Float.self, rank: 2)
            guard timesteps.shape == deltas.shape, timesteps.shape[0] == ids.count else {
                throw HDF5Error(path: path, object: "/traces", "columns differ in shape")
            }
            let width = timesteps.shape[1]
            return ids.indices.map { row in
                let range = row * width..<(row + 1) * width
                let kept = timesteps.values[range].prefix { $0 >= 0 }
                return (Array(kept), Array(deltas.values[range].prefix(kept.count)))
            }
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// Checks every sample against its own manifest: id, latent and what the manifest says of them.
    package func verify() throws(CorpusError) {
        for (id, manifest) in zip(ids, manifests) where Digest(of: manifest) != id {
            throw CorpusError(.damaged, path, "sample \(id) does not match its manifest")
        }
    }

    private static func pieces(
        _ name: String, _ offsets: String, _ file: borrowing FileReader
    ) throws(HDF5Error) -> [[UInt8]] {
        let bytes = try file.read(name, of: UInt8.self, rank: 1).values
        let starts = try file.read(offsets, of: Int64.self, rank: 1).values
        guard starts.first == 0, starts.last == Int64(bytes.count), zip(starts, starts.dropFirst()).allSatisfy(<=)
        else { throw HDF5Error(path: file.path, object: offsets, "offsets do not fit the data") }
        return zip(starts, starts.dropFirst()).map { Array(bytes[Int($0)..<Int($1)]) }
    }
}
