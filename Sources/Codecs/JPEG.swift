import CTurboJPEG

/// JPEG files, decoded by libjpeg-turbo to 8-bit red, green and blue.
package enum JPEG {
    /// Width and height of the upright picture, without decoding it.
    package static func size(_ bytes: [UInt8]) throws(CodecError) -> (width: Int, height: Int) {
        let header = try Decoder().header(bytes)
        return ExifOrientation(bytes).value >= 5 ? (header.height, header.width) : header
    }

    /// - Returns: width, height and `3·width·height` values; grey images are converted. The picture stands upright, as
    ///   the camera's orientation tag says.
    package static func decode(
        _ bytes: [UInt8]
    ) throws(CodecError) -> (width: Int, height: Int, pixels: [UInt8]) {
        let decoder = try Decoder()
        let header = try decoder.header(bytes)
        var pixels = [UInt8](repeating: 0, count: 3 * header.width * header.height)
        // Truncated files come with a warning only, and progressive ones may claim thousands of scans.
        let flags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT
        let code = tjDecompress2(
            decoder.handle, bytes, UInt(bytes.count), &pixels, Int32(header.width), 0, Int32(header.height),
            Int32(TJPF_RGB.rawValue), flags)
        guard code == 0 else { throw CodecError("a damaged JPEG image: \(decoder.message)") }
        return ExifOrientation(bytes).upright(header.width, header.height, pixels)
    }

    /// Owns libjpeg-turbo's state.
    private final class Decoder {
        let handle: tjhandle

        init() throws(CodecError) {
            guard let handle = tjInitDecompress() else { throw CodecError("libjpeg-turbo could not be started") }
            self.handle = handle
        }

        deinit { tjDestroy(handle) }

        var message: String { tjGetErrorStr2(handle).map { String(cString: $0) } ?? "unknown trouble" }

        func header(_ bytes: [UInt8]) throws(CodecError) -> (width: Int, height: Int) {
            var (width, height, subsampling, space) = (Int32(0), Int32(0), Int32(0), Int32(0))
            guard tjDecompressHeader3(handle, bytes, UInt(bytes.count), &width, &height, &subsampling, &space) == 0
            else { throw CodecError("not a JPEG image: \(message)") }
            guard width > 0, height > 0, Int(width) * Int(height) <= PNG.largestPixelCount else {
                throw CodecError("a JPEG image of \(width)×\(height) pixels is too large")
            }
            guard space != Int32(TJCS_CMYK.rawValue), space != Int32(TJCS_YCCK.rawValue) else {
                throw CodecError("a JPEG image in CMYK: convert it to RGB")
            }
            return (Int(width), Int(height))
        }
    }
}
