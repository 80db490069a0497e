import Foundation
import HDF5
import Testing

/// Rows that need every way of coding a chunk.
enum Rows {
    private static func bits(_ index: Int) -> UInt64 {
        // SplitMix64.
        var z = UInt64(index) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// About normal, as latents are: only the exponents shrink.
    static func normal(_ count: Int) -> [Float] {
        (0..<count).map { index in
            (0..<4).reduce(-2) { $0 + Float(bits(4 * index + $1) >> 40) / Float(1 << 24) }
        }
    }

    /// What was computed in 16 bits: the last bytes are zero and the second ones have few values.
    static func halves(_ count: Int) -> [Float] { normal(count).map { Float(Float16($0)) } }

    static func anyBits(_ count: Int) -> [Float] { (0..<count).map { Float(bitPattern: UInt32(bits($0) >> 32)) } }
}

@Suite struct ChunkCodecTests {
    private func temporary() -> String {
        FileManager.default.temporaryDirectory.appending(path: "attune-chunks-\(UUID().uuidString).h5").path
    }

    private func write(_ rows: [[Float]], to path: String) throws -> [Int] {
        var slab = Slab()
        let chunks = rows.map { row in
            let frame = row.withUnsafeBytes { ChunkCodec.encode($0, into: &slab) }
            return FileWriter.Chunk(bytes: frame ?? row, isCompressed: frame != nil)
        }
        let file = try FileWriter(path)
        try file.write("/latents", chunks: chunks, shape: [rows.count, rows[0].count], of: Float.self)
        try Data(file.finish().bytes).write(to: URL(fileURLWithPath: path))
        return chunks.map { $0.isCompressed ? $0.bytes.byteCount : 4 * rows[0].count }
    }

    /// One block a plane, several (a plane has 262,144 bytes then), and rows of odd lengths.
    @Test(arguments: [1, 2, 7, 64, 1000, 16_384, 40_000, 262_144])
    func rowsComeBack(count: Int) throws {
        let path = temporary()
        defer { unlink(path) }
        let rows = [
            Rows.normal(count), Rows.halves(count), Rows.anyBits(count), [Float](repeating: -0.5, count: count),
            (0..<count).map(Float.init),
        ]
        let sizes = try write(rows, to: path)
        let order = [4, 2, 0, 3, 1, 0]
        let read = try FileReader(opening: path).readChunks("/latents", rows: order, of: Float.self, rank: 2).values
        #expect(read.map { $0.map(\.bitPattern) } == order.map { rows[$0].map(\.bitPattern) })
        guard count >= 1000 else { return }
        #expect(sizes[0] < 35 * count / 10 && sizes[1] < 26 * count / 10 && sizes[2] == 4 * count && sizes[3] < 100)
    }

    /// The same rows in the same order give the same frames, whatever a context has done before.
    @Test func framesDoNotDependOnHistory() throws {
        func frame(_ row: [Float]) throws -> [UInt8] {
            var slab = Slab()
            let part = try #require(row.withUnsafeBytes { ChunkCodec.encode($0, into: &slab) })
            var bytes: [UInt8] = []
            part.withBytes { bytes = Array($0) }
            return bytes
        }
        let (normal, halves) = (Rows.normal(5000), Rows.halves(5000))
        let before = (try frame(normal), try frame(halves))
        _ = try frame([Float](repeating: 1, count: 9000))
        #expect(try frame(halves) == before.1 && frame(normal) == before.0)
    }

    /// Changed bytes of frames: reading ends with values or an error, never with anything else.
    @Test func damagedFramesDoNoHarm() throws {
        let path = temporary()
        defer { unlink(path) }
        let count = 600
        let rows = [Rows.normal(count), Rows.halves(count)]
        let sizes = try write(rows, to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        // Both frames begin with zstd's magic number.
        let magic = Data([0x28, 0xB5, 0x2F, 0xFD])
        let first = try #require(whole.range(of: magic)).lowerBound
        let second = try #require(whole.range(of: magic, in: first + 4..<whole.count)).lowerBound
        var refused = 0
        for (row, start) in [first, second].enumerated() {
            // Headers at the beginning and at each quarter, where blocks begin.
            for position in Array(0..<40) + Array(stride(from: 40, to: sizes[row], by: 3)) {
                for bit in [0x01, 0x20, 0x80, 0xFF] as [UInt8] {
                    var bytes = whole
                    bytes[start + position] ^= bit
                    try bytes.write(to: URL(fileURLWithPath: path))
                    do throws(HDF5Error) {
                        let read = try FileReader(opening: path).readChunks(
                            "/latents", rows: [row], of: Float.self, rank: 2)
                        #expect(read.values[0].count == count)
                    } catch {
                        #expect(error.path == path)
                        refused += 1
                    }
                }
            }
        }
        #expect(refused > 100)
    }
}
