import CPNG

/// PNG files of 8-bit red, green and blue, by libpng.
package enum PNG {
    /// Images larger than this are refused before memory is taken for them.
    package static let largestPixelCount = 1 << 28

    /// - Parameter pixels: `3·width·height` values, row by row.
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

    /// - Returns: width, height and `3·width·height` values; grey, palette and alpha images are converted.
    package static func decode(
        _ bytes: [UInt8]
    ) throws(CodecError) -> (width: Int, height: Int, pixels: [UInt8]) {
        var image = png_image()
        image.version = UInt32(PNG_IMAGE_VERSION)
        defer { png_image_free(&image) }
        guard png_image_begin_read_from_memory(&image, bytes, bytes.count) != 0 else {
            throw CodecError("not a PNG image: \(message(image))")
        }
        let (width, height) = (Int(image.width), Int(image.height))
        guard width > 0, height > 0, width.multipliedReportingOverflow(by: height).overflow == false,
            width * height <= largestPixelCount
        else { throw CodecError("a PNG image of \(width)×\(height) pixels is too large") }
        image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
        var pixels = [UInt8](repeating: 0, count: 3 * width * height)
        var background = png_color(red: 255, green: 255, blue: 255)
        guard png_image_finish_read(&image, &background, &pixels, 0, nil) != 0 else {
            throw CodecError("a damaged PNG image: \(message(image))")
        }
        return (width, height, pixels)
    }

    private static func message(_ image: png_image) -> String {
        withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
