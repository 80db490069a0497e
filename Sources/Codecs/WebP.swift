import Images
import CWebP

/// Still WebP images, lossy and lossless, decoded by libwebp. Color profiles are not followed.
enum WebP {
    /// Width and height as the file states them, without decoding it.
    static func size(_ bytes: [UInt8]) throws(CodecError) -> (width: Int, height: Int) {
        let features = try features(bytes)
        return (Int(features.width), Int(features.height))
    }

    /// The image as it is stored, not rotated; a transparent one is composed over white.
    static func decode(_ bytes: [UInt8]) throws(CodecError) -> RGBImage {
        let features = try features(bytes)
        let (width, height) = (Int(features.width), Int(features.height))
        let channels = features.has_alpha != 0 ? 4 : 3
        var isDecoded = false
        let values = [UInt8](unsafeUninitializedCapacity: channels * width * height) { buffer, count in
            let stride = Int32(channels * width)
            let decoded =
                channels == 4
                ? WebPDecodeRGBAInto(bytes, bytes.count, buffer.baseAddress, buffer.count, stride)
                : WebPDecodeRGBInto(bytes, bytes.count, buffer.baseAddress, buffer.count, stride)
            isDecoded = decoded != nil
            count = isDecoded ? buffer.count : 0
        }
        guard isDecoded else { throw CodecError("a damaged WebP image: it is truncated or corrupt") }
        return channels == 4
            ? RGBImage(width: width, height: height, rgba: values)
            : RGBImage(width: width, height: height, pixels: values)
    }

    private static func features(_ bytes: [UInt8]) throws(CodecError) -> WebPBitstreamFeatures {
        var features = WebPBitstreamFeatures()
        guard WebPGetFeatures(bytes, bytes.count, &features) == VP8_STATUS_OK else {
            throw CodecError("a damaged WebP image: its header is truncated or corrupt")
        }
        guard features.has_animation == 0 else {
            throw CodecError("an animated WebP image: save one frame of it as PNG or still WebP", unsupported: true)
        }
        return features
    }

    /// The first chunk of a kind in the RIFF container; empty where there is none.
    static func chunk(_ kind: String, of bytes: [UInt8]) -> ArraySlice<UInt8> {
        var place = 12
        while place + 8 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 | Int(bytes[place + 4 + $1]) << (8 * $1) }
            let end = min(place + 8 + length, bytes.count)
            if bytes[place..<place + 4].elementsEqual(kind.utf8) { return bytes[place + 8..<end] }
            // Chunks begin at even places.
            place += 8 + length + length & 1
        }
        return []
    }
}
