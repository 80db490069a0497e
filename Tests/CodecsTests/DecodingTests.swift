import Images
import Codecs
import Foundation
import Testing

/// Images as cameras and other programs write them. The values come from Pillow.
@Suite struct DecodingTests {
    /// 16×8 pixels, to be shown turned by a quarter (Exif orientation 6).
    private let turned = Array(
        Data(
            base64Encoded:
                "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAIBAQEBAQIBAQEC"
                + "AgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYH"
                + "CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAIABADAREAAhEBAxEB/8QA"
                + "HwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKB"
                + "kaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWG"
                + "h4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QA"
                + "HwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEI"
                + "FEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOE"
                + "hYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oA"
                + "DAMBAAIRAxEAPwD5Y+Cf/BKn/U/8U56f8sq+ayri3b3j8o8PvHr4P3v4n198E/8AglTjyf8AimwOn/LKv0rKuLdveP7m8PfH"
                + "r4P3v4n/2Q==") ?? Data())

    @Test func jpegIsDecodedUpright() throws {
        let file = try ImageFile(turned, format: .jpeg)
        #expect(file.width == 8 && file.height == 16)
        let image = try file.decode().image
        #expect(image.width == 8 && image.height == 16)
        func pixel(_ x: Int, _ y: Int) -> [Int] { image.pixels[3 * (8 * y + x)..<3 * (8 * y + x) + 3].map { Int($0) } }
        let corners = [(pixel(0, 0), [1, 209, 71]), (pixel(7, 0), [0, 0, 0]), (pixel(0, 15), [239, 209, 219])]
        for (found, expected) in corners {
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) <= 2 }, "\(found), Pillow: \(expected)")
        }
    }

    @Test(arguments: [0, 1, 3, 20, 300, 640, 700])
    func truncatedJPEGIsRefused(length: Int) {
        #expect(throws: CodecError.self) { try ImageFile(Array(turned.prefix(length)), format: .jpeg).decode() }
    }

    @Test func damagedJPEGNeverCrashes() {
        for place in stride(from: 2, to: turned.count, by: 3) {
            var bytes = turned
            bytes[place] ^= 0x5A
            _ = try? ImageFile(bytes, format: .jpeg).decode()
        }
    }

    @Test func pngSizesAreReadFromTheHeader() throws {
        let bytes = try PNG.encode(width: 5, height: 3, pixels: [UInt8](repeating: 7, count: 45))
        #expect(try PNG.size(bytes) == (5, 3))
        #expect(PNG.isPlain(bytes))
        var bomb = bytes
        bomb.replaceSubrange(16..<24, with: [0, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0xFF])
        #expect(throws: CodecError.self) { try PNG.decode(bomb, limit: 1 << 28) }
        #expect(throws: CodecError.self) { try PNG.decode(bomb) }
    }

    @Test func resizesAsPillowDoes() {
        let pixels = (0..<360).map { UInt8($0 * 37 % 251) }
        let small = Resampling.resize(pixels, width: 12, height: 10, to: 5, 4)
        let expected = [
            105, 117, 112, 128, 126, 124, 124, 139, 129, 135, 140, 121, 128, 113, 101, 131, 123, 137, 142, 129, 140,
            129,
        ]
        #expect(zip(small, expected).allSatisfy { abs(Int($0) - $1) <= 1 }, "\(small.prefix(22))")
        let large = Resampling.resize(pixels, width: 12, height: 10, to: 20, 17)
        let start = [0, 15, 47, 14, 78, 131, 97, 134, 207, 226, 54, 101, 221, 0, 43, 92, 63, 132, 123, 195, 102, 215]
        #expect(zip(large, start).allSatisfy { abs(Int($0) - $1) <= 1 }, "\(large.prefix(22))")
        #expect(abs(large.reduce(0) { $0 + Int($1) } - 127_160) < 300)
    }

    @Test func cropsTheMiddle() {
        let pixels = (0..<3 * 4 * 3).map { UInt8($0) }
        let middle = Resampling.Window(middleOf: 4, 3, width: 2, height: 1)
        #expect(
            Resampling.resize(pixels, width: 4, height: 3, to: 4, 3, window: middle) == [15, 16, 17, 18, 19, 20])
    }

    @Test func gzipIsUnpackedAsItIsRead() throws {
        // printf 'attune attune attune' | gzip -n, twice over: two members are one stream.
        let member: [UInt8] = [
            0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xFF, 0x4B, 0x2C, 0x29, 0x29, 0xCD, 0x4B, 0x55, 0x48,
            0x44,
            0xA6, 0x00, 0xD9, 0xAA, 0x4A, 0xF5, 0x14, 0x00, 0x00, 0x00,
        ]
        var rest = (member + member)[...]
        let stream = try GzipStream {
            defer { rest = rest.dropFirst(7) }
            return Array(rest.prefix(7))
        }
        #expect(try stream.read(30) == Array("attune attune attuneattune att".utf8))
        #expect(try stream.read(100) == Array("une attune".utf8))
        #expect(try stream.read(1).isEmpty)
        var short = member.prefix(20)
        let broken = try GzipStream {
            defer { short = [] }
            return Array(short)
        }
        #expect(throws: CodecError.self) { try broken.read(100) }
    }
}
