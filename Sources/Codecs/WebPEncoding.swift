import CWebP
package import Images

/// Lossy WebP files, for what is only looked at.
package enum WebPEncoding {
    /// The largest side that the format has.
    package static let largestSide = 16383

    /// - Parameter quality: 0 for the smallest file, 100 for the best.
    package static func encode(_ image: RGBImage, quality: Float = 82) throws(CodecError) -> [UInt8] {
        let (width, height) = (image.width, image.height)
        guard (1...largestSide).contains(width), (1...largestSide).contains(height) else {
            throw CodecError("a WebP image has 1 to \(largestSide) pixels a side, not \(width)×\(height)")
        }
        var file: UnsafeMutablePointer<UInt8>?
        let size = WebPEncodeRGB(image.pixels, Int32(width), Int32(height), Int32(3 * width), quality, &file)
        defer { WebPFree(file) }
        guard size > 0, let file else { throw CodecError("the image could not be encoded as WebP") }
        return Array(UnsafeBufferPointer(start: file, count: size))
    }
}
