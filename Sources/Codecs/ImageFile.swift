package import Images

/// A PNG, JPEG or WebP file: what its header says, and its pixels, upright.
package struct ImageFile: Sendable {
    package let format: ImageFormat
    /// Of the upright image.
    package let width, height: Int
    private let bytes: [UInt8]
    private let orientation: Orientation

    /// Reads the header, which may claim anything: check ``width`` and ``height`` before decoding.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - format: one that is read.
    /// - Throws: for a file that is not such an image, an animated WebP and a JPEG in CMYK.
    package init(_ bytes: [UInt8], format: ImageFormat) throws(CodecError) {
        (self.bytes, self.format) = (bytes, format)
        let size: (width: Int, height: Int)
        switch format {
        case .png: (size, orientation) = (try PNG.size(bytes), Orientation(value: Metadata.orientation(png: bytes)))
        case .jpeg: (size, orientation) = (try JPEG.size(bytes), Orientation(value: Metadata.orientation(jpeg: bytes)))
        case .webp: (size, orientation) = (try WebP.size(bytes), Orientation(value: Metadata.orientation(webp: bytes)))
        default:
            throw CodecError(
                "a \(format.rawValue) image, which is not read: convert it to PNG, JPEG or WebP", unsupported: true)
        }
        (width, height) = orientation.swapsSides ? (size.height, size.width) : size
    }

    /// - Returns: the upright pixels, and whether the file itself may stand for them: a plain PNG without a fault,
    ///   whose pixels every program sees alike.
    package func decode() throws(CodecError) -> (image: RGBImage, isPlain: Bool) {
        switch format {
        case .png:
            let (image, isClean) = try PNG.decodeAndCheck(bytes, limit: .max)
            return (orientation.upright(image), isClean && PNG.isPlain(bytes))
        case .jpeg: return (orientation.upright(try JPEG.decode(bytes)), false)
        default: return (orientation.upright(try WebP.decode(bytes)), false)
        }
    }
}
