import HDF5
package import Foundation

/// Writes samples as one sealed shard (schemas/shard.md).
package enum ShardWriter {
    package static let format = "attune-shard"
    /// The newest version that is read. A shard is written in the oldest one that can say all that is in it.
    package static let version = 3
    private static let versionWithoutFlows = 2

    /// Writes a shard into `folder`, named by the SHA-256 of its bytes; the same records in the same order give the
    /// same bytes, so writing them twice changes nothing.
    ///
    /// - Parameters:
    ///   - records: at least one.
    ///   - folder: the corpus's shards/.
    ///   - files: writes the file, so that it appears complete or not at all.
    /// - Returns: the shard's digest.
    /// - Throws: ``CorpusError``; nothing is left behind.
    package static func write(
        _ records: [SampleRecord], to folder: URL, files: AtomicFiles
    ) throws(CorpusError) -> Digest {
        try SealedFile.write(encoded(records), to: folder, files: files)
    }

    /// A shard that has no place yet.
    static func encoded(_ records: [SampleRecord]) throws(CorpusError) -> FileContents {
        let ready = prepared(records)
        let hasFlows = records.contains { $0.flow != nil }
        return try SealedFile.encoded(format: format, version: hasFlows ? version : versionWithoutFlows) {
            (file) throws(HDF5Error) in
            try write(records, ready, to: file)
        }
    }

    /// `shards/ab/<sha256>.h5`.
    package static func location(of digest: Digest, in folder: URL) -> URL {
        let hex = digest.hex
        return folder.appending(path: "\(hex.prefix(2))/\(hex).h5")
    }

    /// What takes time and needs nothing of libhdf5, whose lock lets in one thread.
    private struct Ready {
        var manifest: [UInt8] = []
        var id: Digest?
        var latent = FileWriter.Chunk(bytes: [UInt8](), isCompressed: false)

        init() {}

        init(_ record: SampleRecord, _ slab: inout Slab) {
            manifest = Array(record.manifest.data)
            id = Digest(of: manifest)
            let frame = record.latent.withUnsafeBytes { ChunkCodec.encode($0, into: &slab) }
            latent = FileWriter.Chunk(bytes: frame ?? record.latent, isCompressed: frame != nil)
        }
    }

    private static func prepared(_ records: [SampleRecord]) -> [Ready] {
        var ready = [Ready](repeating: Ready(), count: records.count)
        ready.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let ready = buffer
            // Blocks of some samples: a thread's turn costs something too.
            let blocks = (records.count + 15) / 16
            DispatchQueue.concurrentPerform(iterations: blocks) { block in
                var slab = Slab()
                for index in 16 * block..<min(16 * block + 16, records.count) {
                    ready[index] = Ready(records[index], &slab)
                }
            }
        }
        return ready
    }

    private static func write(
        _ records: [SampleRecord], _ ready: [Ready], to file: borrowing FileWriter
    ) throws(HDF5Error) {
        try file.group("/samples")
        try file.write("/samples/id", ready.flatMap { $0.id?.raw ?? [] }, shape: [records.count, 32])
        try write(ready.map(\.manifest), to: "/samples/manifest", offsets: "/samples/manifest_offset", file)

        let prompts = firstAppearances(records.map(\.recipe.prompt))
        try file.write("/samples/prompt", prompts.indices, shape: [records.count])
        try file.group("/prompts")
        try write(prompts.distinct.map { Array($0.utf8) }, to: "/prompts/text", offsets: "/prompts/text_offset", file)

        try file.group("/images")
        try write(records.map(\.png), to: "/images/png", offsets: "/images/offset", file)

        try writeLatents(records, ready, file)
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
        try file.write(name, pieces: pieces, shape: [Int(end)], of: UInt8.self)
        try file.write(offsets, starts, shape: [starts.count])
    }

    private static func writeLatents(
        _ records: [SampleRecord], _ ready: [Ready], _ file: borrowing FileWriter
    ) throws(HDF5Error) {
        let names = records.map { $0.latentShape.map(String.init).joined(separator: "x") }
        let shapes = firstAppearances(names)
        var rows = [Int64](repeating: 0, count: records.count)
        try file.group("/latents")
        for (index, name) in shapes.distinct.enumerated() {
            // Samples that have no latent.
            if name.isEmpty {
                for row in rows.indices where shapes.indices[row] == Int64(index) { rows[row] = -1 }
                continue
            }
            let members = records.indices.filter { shapes.indices[$0] == Int64(index) }
            for (row, member) in members.enumerated() { rows[member] = Int64(row) }
            guard let first = members.first else { continue }
            try file.write(
                "/latents/\(name)", chunks: members.map { ready[$0].latent },
                shape: [members.count] + records[first].latentShape, of: Float.self)
        }
        try file.write("/samples/latent_row", rows, shape: [rows.count])
    }

    /// One row per sample; shorter traces end in timestep −1 and NaN.
    private static func writeTraces(_ records: [SampleRecord], _ file: borrowing FileWriter) throws(HDF5Error) {
        let width = records.map(\.timesteps.count).max() ?? 0
        var (timesteps, deltas) = ([Int32](), [Float]())
        timesteps.reserveCapacity(width * records.count)
        deltas.reserveCapacity(width * records.count)
        for record in records {
            let missing = width - record.timesteps.count
            timesteps += record.timesteps
            timesteps += repeatElement(-1, count: missing)
            deltas += record.deltaSquared
            deltas += repeatElement(.nan, count: missing)
        }
        try file.group("/traces")
        try file.write("/traces/timestep", timesteps, shape: [records.count, width])
        try file.write("/traces/delta_sq", deltas, shape: [records.count, width])
        guard records.contains(where: { $0.flow != nil }) else { return }
        func column(_ values: (FlowTrace) -> [Float]) -> [Float] {
            records.flatMap { record in
                let known = record.flow.map(values) ?? []
                return known + repeatElement(.nan, count: width - known.count)
            }
        }
        try file.write("/traces/sigma", column(\.sigmas), shape: [records.count, width])
        try file.write("/traces/velocity_delta", column(\.velocityDelta), shape: [records.count, width])
    }

    private static func firstAppearances(_ values: [String]) -> (distinct: [String], indices: [Int64]) {
        var (known, distinct) = ([ExactText: Int64](), [String]())
        let indices = values.map { value in
            if let index = known[ExactText(value)] { return index }
            let index = Int64(distinct.count)
            known[ExactText(value)] = index
            distinct.append(value)
            return index
        }
        return (distinct, indices)
    }
}
