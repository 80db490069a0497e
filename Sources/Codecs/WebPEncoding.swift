import CWebP

/// Lossy WebP files, for what is only looked at.
package enum WebPEncoding {
    /// The largest side that the format has.
    package static let largestSide = 16383

    /// - Parameters:
    ///   - width: in pixels.
    ///   - height: in pixels.
    ///   - pixels: red, green and blue, `3·width·height` values, row by row.
    ///   - quality: 0 for the smallest file, 100 for the best.
    package static func encode(
        width: Int, height: Int, pixels: [UInt8], quality: Float = 82
    ) throws(CodecError) -> [UInt8] {
        precondition(pixels.count == 3 * width * height, "\(pixels.count) values for \(width)×\(height) pixels")
        guard (1...largestSide).contains(width), (1...largestSide).contains(height) else {
            throw CodecError("a WebP image has 1 to \(largestSide) pixels a side, not \(width)×\(height)")
        }
        var file: UnsafeMutablePointer<UInt8>?
        let size = WebPEncodeRGB(pixels, Int32(width), Int32(height), Int32(3 * width), quality, &file)
        defer { WebPFree(file) }
        guard size > 0, let file else { throw CodecError("the image could not be encoded as WebP") }
        return Array(UnsafeBufferPointer(start: file, count: size))
    }
}
