import Images
import Codecs
import Foundation
import Testing

/// Files of few pixels that were written by Pillow and by hand; the values are Pillow's. `Tests/Interop/image_cases.py`
/// compares hundreds of them.
@Suite struct ImageFileTests {
    private static let rgb16 =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAIAAAAr0DSeAAAAFUlEQVR4nGMICKioOHGCi4uB4f9/AB9IBTOz0CyRAAAAAElFTkSuQmCC"
    private static let gray16 =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABEAAAAACB2fwVAAAADUlEQVR4nGOor+fhAQADogEXNm4ZtwAAAABJRU5ErkJggg=="
    private static let rgba =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGNgYGBoOMEl5wsABlABvkgbMQ0AAAAASUVORK5CYII="
    private static let turned =
        "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABCAIAAACUgoPjAAAAGmVYSWZNTQAqAAAACAABARIAAwAAAAEABgAAAAAAANZnS2kAAAASSURBVHicY2BkYmZhZWPn4AQAAK8ALpn/5qIAAAAASUVORK5CYII="
    private static let gamma =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAABGdBTUEAAYagMeiWXwAAAA9JREFUeJxjCKg4wcXwHwAIfAKaDBdNQwAAAABJRU5ErkJggg=="
    /// A letter of its text chunk is changed.
    private static let wrongChecksum =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAADXRFWHRDb21tZW50AGllbGxv5v+uJAAAAA9JREFUeJxjCKg4wcXwHwAIfAKaDBdNQwAAAABJRU5ErkJggg=="
    /// 2×3 pixels of black at 128, orientation 6.
    private static let webp =
        "UklGRk4AAABXRUJQVlA4WAoAAAAYAAAAAQAAAgAAVlA4TA4AAAAvAYAAEAcQEQUMRET/A0VYSUYaAAAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAA="
    private static let animation =
        "UklGRpQAAABXRUJQVlA4WAoAAAACAAAAAQAAAgAAQU5JTQYAAAAAAAAAAABBTk1GMAAAAAAAAAAAAAEAAAIAAAAAAAJWUDggGAAAADABAJ0BKgIAAwABQCYlpAADcAD+/TZoAEFOTUYwAAAAAAAAAAAAAQAAAgAAAAAAAFZQOCAYAAAANAEAnQEqAgADAAAAJiWkAANwAP789AAA"

    private func bytes(_ text: String) throws -> [UInt8] { Array(try #require(Data(base64Encoded: text))) }

    private func file(_ text: String) throws -> ImageFile {
        let bytes = try bytes(text)
        return try ImageFile(bytes, format: try #require(ImageFormat(bytes)))
    }

    @Test(
        arguments: [
            (rgb16, [80, 120, 200, 10, 0, 255]), (gray16, [127, 127, 127, 12, 12, 12]),
            (rgba, [127, 127, 127, 238, 181, 187]),
        ] as [(String, [UInt8])])
    func valuesAreThoseThatBrowsersShow(file text: String, pixels: [UInt8]) throws {
        let (image, isPlain) = try file(text).decode()
        #expect(image.pixels == pixels && !isPlain)
    }

    @Test func gammaIsAppliedWhereNothingOverridesIt() throws {
        let pixels = try file(Self.gamma).decode().image.pixels
        #expect(zip(pixels, [151, 181, 228, 59, 0, 255]).allSatisfy { abs(Int($0) - $1) <= 1 }, "\(pixels)")
    }

    @Test func theyStandUpright() throws {
        let png = try file(Self.turned)
        #expect(png.width == 1 && png.height == 3)
        #expect(try png.decode().image.pixels == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        let webp = try file(Self.webp)
        #expect(webp.format == .webp && webp.width == 3 && webp.height == 2)
        #expect(try webp.decode().image.pixels == [UInt8](repeating: 127, count: 18))
    }

    @Test func aWrongChecksumIsNotPassedOn() throws {
        let (image, isPlain) = try file(Self.wrongChecksum).decode()
        #expect(image.pixels == [80, 120, 200, 10, 0, 255] && !isPlain)
    }

    @Test func aPlainFileStaysAsItIs() throws {
        let plain = try PNG.encode(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
        #expect(try ImageFile(plain, format: .png).decode().isPlain)
        // Without its end, with something behind it, with an end that has a wrong checksum.
        for damaged in [Array(plain.dropLast(12)), plain + [0], Array(plain.dropLast()) + [0]] {
            let (image, isPlain) = try ImageFile(damaged, format: .png).decode()
            #expect(image.pixels == [1, 2, 3, 4, 5, 6] && !isPlain)
        }
    }

    @Test func animationsAndOtherFormatsAreRefusedByName() throws {
        #expect(
            throws: CodecError("an animated WebP image: save one frame of it as PNG or still WebP", unsupported: true)
        ) {
            try file(Self.animation)
        }
        let heads: [(String, ImageFormat)] = [
            ("GIF89a", .gif), ("BM..", .bmp), ("II*\0", .tiff), ("MM\0*", .tiff), ("....ftypavif", .avif),
            ("....ftypheic", .heic), ("\0\0\0\u{0C}JXL ", .jpegXL), ("8BPS", .photoshop), ("P6 ", .netpbm),
        ]
        for (head, format) in heads {
            #expect(ImageFormat(Array(head.utf8)) == format)
            #expect(throws: CodecError.self) { try ImageFile(Array(head.utf8), format: format) }
        }
        #expect(ImageFormat(Array("<html>".utf8)) == nil && ImageFormat([]) == nil)
        #expect(ImageFormat(named: "a.b.JPEG") == .jpeg && ImageFormat(named: "png") == nil)
    }

    @Test(arguments: [rgb16, rgba, turned, gamma, webp, animation])
    func damagedFilesNeverCrash(text: String) throws {
        let whole = try bytes(text)
        let format = try #require(ImageFormat(whole))
        for place in 4..<whole.count {
            for change: UInt8 in [0x01, 0x80, 0xFF] {
                var bytes = whole
                bytes[place] ^= change
                guard let file = try? ImageFile(bytes, format: format), file.width * file.height < 1 << 16 else {
                    continue
                }
                _ = try? file.decode()
            }
            if let file = try? ImageFile(Array(whole.prefix(place)), format: format) { _ = try? file.decode() }
        }
    }

    /// The values of the whole, at the cost of the part: a row of 30,000 pixels would become 24 GB.
    @Test func aWindowOfAScaledImageIsItsPart() {
        let pixels = (0..<3 * 40 * 30).map { UInt8($0 * 37 % 251) }
        for (wide, high) in [(17, 90), (80, 9), (40, 30), (13, 11)] {
            let whole = Resampling.resize(pixels, width: 40, height: 30, to: wide, high)
            let window = Resampling.Window(middleOf: wide, high, width: 7, height: 5)
            let part = Resampling.resize(pixels, width: 40, height: 30, to: wide, high, window: window)
            let cut = window.rows.flatMap { y in
                whole[3 * (y * wide + window.columns.lowerBound)..<3 * (y * wide + window.columns.upperBound)]
            }
            #expect(part == cut)
        }
        let thin = (0..<3 * 30_000).map { UInt8($0 % 256) }
        let window = Resampling.Window(middleOf: 512, 15_360_000, width: 512, height: 512)
        let part = Resampling.resize(thin, width: 1, height: 30_000, to: 512, 15_360_000, window: window)
        #expect(part.count == 3 * 512 * 512)
    }
}
