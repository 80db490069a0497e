import Images
import Codecs
import Testing

@Suite struct CodecTests {
    private let pixels = (0..<3 * 37 * 21).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 3) }

    @Test func aPNGFileIsIntactToItsLastByte() throws {
        let bytes = try PNG.encode(width: 9, height: 7, pixels: (0..<189).map { UInt8($0) })
        #expect(PNG.isIntact(bytes))
        for place in bytes.indices {
            var other = bytes
            other[place] ^= 0x10
            #expect(!PNG.isIntact(other), "byte \(place)")
        }
        #expect(!PNG.isIntact(Array(bytes.dropLast(12))) && !PNG.isIntact([]) && PNG.isIntact(bytes + [0]))
    }

    @Test func pngComesBack() throws {
        let bytes = try PNG.encode(width: 37, height: 21, pixels: pixels)
        #expect(bytes.prefix(4) == [0x89, 0x50, 0x4E, 0x47])
        let image = try PNG.decode(bytes)
        #expect(image.width == 37 && image.height == 21 && image.pixels == pixels)
        #expect(try PNG.encode(width: 37, height: 21, pixels: pixels) == bytes)
    }

    @Test(arguments: [0, 1, 8, 40, 300])
    func truncatedPNGIsRefused(length: Int) throws {
        let bytes = try PNG.encode(width: 37, height: 21, pixels: pixels)
        #expect(throws: CodecError.self) { try PNG.decode(Array(bytes.prefix(length))) }
    }

    @Test func zstdComesBack() throws {
        let frame = try pixels.withUnsafeBytes { (bytes) throws(CodecError) in try Zstd.compress(bytes) }
        #expect(try Zstd.decompress(frame, limit: pixels.count) == pixels)
        #expect(throws: CodecError.self) { try Zstd.decompress(frame, limit: pixels.count - 1) }
        var damaged = frame
        damaged[frame.count / 2] ^= 0x10
        #expect((try? Zstd.decompress(damaged, limit: pixels.count)) != pixels)
        #expect(throws: CodecError.self) { try Zstd.decompress(Array(frame.prefix(9)), limit: pixels.count) }
    }
}
