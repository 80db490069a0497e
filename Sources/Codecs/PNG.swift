import CImages
import CPNG
package import Images

/// PNG files of 8-bit red, green and blue, by libpng.
///
/// ```swift
/// let image = try PNG.decode(Array(Data(contentsOf: URL(fileURLWithPath: "a.png"))))
/// let again = try PNG.encode(image)
/// ```
package enum PNG {
    /// Images larger than this are refused before memory is taken for them, unless the caller raises it.
    package static let largestPixelCount = 1 << 28

    package static func encode(_ image: RGBImage) throws(CodecError) -> [UInt8] {
        try encode(width: image.width, height: image.height, pixels: image.pixels)
    }

    /// - Parameters:
    ///   - width: in pixels.
    ///   - height: in pixels.
    ///   - pixels: red, green and blue, `3·width·height` values, row by row.
    package static func encode(width: Int, height: Int, pixels: [UInt8]) throws(CodecError) -> [UInt8] {
        precondition(pixels.count == 3 * width * height, "\(pixels.count) values for \(width)×\(height) pixels")
        var image = png_image()
        image.version = UInt32(PNG_IMAGE_VERSION)
        (image.width, image.height) = (UInt32(width), UInt32(height))
        image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
        defer { png_image_free(&image) }
        // Deflate adds a little to what does not shrink.
        var size = pixels.count + pixels.count / 8 + height + 4096
        var bytes = [UInt8](repeating: 0, count: size)
        guard png_image_write_to_memory(&image, &bytes, &size, 0, pixels, 0, nil) != 0 else {
            throw CodecError("the image could not be encoded as PNG: \(message(image))")
        }
        bytes.removeLast(bytes.count - size)
        return bytes
    }

    /// The image as it is stored, not rotated. Gray, palette and 16-bit images are converted, transparent ones composed
    /// over white.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - limit: the most pixels that it may have.
    package static func decode(
        _ bytes: [UInt8], limit: Int = largestPixelCount
    ) throws(CodecError) -> RGBImage {
        try decodeAndCheck(bytes, limit: limit).image
    }

    /// - Returns: the image, and whether libpng had nothing to complain of: no wrong checksum, not even after the
    ///   pixels.
    static func decodeAndCheck(
        _ bytes: [UInt8], limit: Int
    ) throws(CodecError) -> (image: RGBImage, isClean: Bool) {
        let (width, height) = try size(bytes)
        guard width * height <= limit else {
            throw CodecError("a PNG image of \(width)×\(height) pixels is too large")
        }
        var message = CMessage()
        var (code, isClean) = (Int32(0), Int32(0))
        // Not cleared first: a header that claims more than its file holds takes no memory for what is not there.
        let pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { buffer, count in
            code = ci_png_decode(
                bytes, bytes.count, UInt32(width), UInt32(height), buffer.baseAddress, &isClean, &message.bytes)
            count = code == 1 ? buffer.count : 0
        }
        guard code == 1 else { throw CodecError("a damaged PNG image: \(message.text)") }
        return (RGBImage(width: width, height: height, pixels: pixels), isClean == 1)
    }

    private static func message(_ image: png_image) -> String {
        withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
