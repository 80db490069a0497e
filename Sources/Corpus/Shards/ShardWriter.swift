import Codecs
import HDF5
package import Foundation

/// Writes samples as one sealed shard (schemas/shard.md).
package enum ShardWriter {
    package static let format = "attune-shard"
    package static let version = 1

    /// Writes a shard into `folder`, named by the SHA-256 of its bytes; the same records in the same order give the same
    /// bytes, so writing them twice changes nothing.
    ///
    /// - Parameters:
    ///   - records: at least one.
    ///   - folder: the corpus's shards/.
    /// - Returns: the shard's digest.
    /// - Throws: ``CorpusError``; nothing is left behind.
    package static func write(
        _ records: [SampleRecord], to folder: URL, files: AtomicFiles
    ) throws(CorpusError) -> Digest {
        try SealedFile.write(format: format, to: folder, files: files) { (file) throws(HDF5Error) in
            try write(records, to: file)
        }
    }

    /// `shards/ab/<sha256>.h5`.
    package static func location(of digest: Digest, in folder: URL) -> URL {
        folder.appending(path: "\(digest.hex.prefix(2))/\(digest.hex).h5")
    }

    static func write(_ records: [SampleRecord], to file: borrowing FileWriter) throws(HDF5Error) {
        let manifests = records.map(\.manifest.data)
        try file.group("/samples")
        try file.write("/samples/id", manifests.flatMap { Digest(of: $0).raw }, shape: [records.count, 32])
        try write(manifests.map { Array($0) }, to: "/samples/manifest", offsets: "/samples/manifest_offset", file)

        let prompts = firstAppearances(records.map(\.recipe.prompt))
        try file.write("/samples/prompt", prompts.indices, shape: [records.count])
        try file.group("/prompts")
        try write(prompts.distinct.map { Array($0.utf8) }, to: "/prompts/text", offsets: "/prompts/text_offset", file)

        try file.group("/images")
        try write(records.map(\.png), to: "/images/png", offsets: "/images/offset", file)

        try writeLatents(records, file)
        try writeTraces(records, file)
    }

    /// Pieces of any length end to end, with where each begins and where the last ends.
    private static func write(
        _ pieces: [[UInt8]], to name: String, offsets: String, _ file: borrowing FileWriter
    ) throws(HDF5Error) {
        var starts: [Int64] = [0]
        var end: Int64 = 0
        for piece in pieces {
            end += Int64(piece.count)
            starts.append(end)
        }
        try file.write(name, pieces.flatMap { $0 }, shape: [Int(end)])
        try file.write(offsets, starts, shape: [starts.count])
    }

    private static func writeLatents(_ records: [SampleRecord], _ file: borrowing FileWriter) throws(HDF5Error) {
        let names = records.map { $0.latentShape.map(String.init).joined(separator: "x") }
        let shapes = firstAppearances(names)
        var rows = [Int64](repeating: 0, count: records.count)
        try file.group("/latents")
        for (index, name) in shapes.distinct.enumerated() {
            let members = records.indices.filter { shapes.indices[$0] == Int64(index) }
            for (row, member) in members.enumerated() { rows[member] = Int64(row) }
            guard let first = members.first else { continue }
            let chunks = compressed(members.map { records[$0].latent })
            try file.write(
                "/latents/\(name)", chunks: chunks, shape: [members.count] + records[first].latentShape,
                of: Float.self)
        }
        try file.write("/samples/latent_row", rows, shape: [rows.count])
    }

    /// Compresses on all cores, outside the lock of libhdf5; what does not shrink is stored as it is.
    private static func compressed(_ latents: [[Float]]) -> [FileWriter.Chunk] {
        var chunks = [FileWriter.Chunk](repeating: .init(bytes: [], isCompressed: false), count: latents.count)
        chunks.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let chunks = buffer
            DispatchQueue.concurrentPerform(iterations: latents.count) { index in
                chunks[index] = latents[index].withUnsafeBytes { bytes in
                    if let frame = try? Zstd.compress(bytes, level: Int32(ZstdFilter.level)), frame.count < bytes.count
                    {
                        return FileWriter.Chunk(bytes: frame, isCompressed: true)
                    }
                    return FileWriter.Chunk(bytes: Array(bytes), isCompressed: false)
                }
            }
        }
        return chunks
    }

    /// One row a sample; shorter traces end in timestep −1 and NaN.
    private static func writeTraces(_ records: [SampleRecord], _ file: borrowing FileWriter) throws(HDF5Error) {
        let width = records.map(\.timesteps.count).max() ?? 0
        var (timesteps, deltas) = ([Int32](), [Float]())
        for record in records {
            let missing = width - record.timesteps.count
            timesteps += record.timesteps + Array(repeating: -1, count: missing)
            deltas += record.deltaSquared + Array(repeating: .nan, count: missing)
        }
        try file.group("/traces")
        try file.write("/traces/timestep", timesteps, shape: [records.count, width])
        try file.write("/traces/delta_sq", deltas, shape: [records.count, width])
    }

    private static func firstAppearances(_ values: [String]) -> (distinct: [String], indices: [Int64]) {
        var (known, distinct) = ([String: Int64](), [String]())
        let indices = values.map { value in
            if let index = known[value] { return index }
            let index = Int64(distinct.count)
            known[value] = index
            distinct.append(value)
            return index
        }
        return (distinct, indices)
    }
}
