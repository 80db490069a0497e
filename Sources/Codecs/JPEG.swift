import Images
import CImages

/// JPEG files, decoded by libjpeg-turbo to 8-bit red, green and blue. Color profiles are not followed.
enum JPEG {
    /// Width and height as the file states them, without decoding it.
    static func size(_ bytes: [UInt8]) throws(CodecError) -> (width: Int, height: Int) {
        var info = ci_jpeg_info()
        var message = CMessage()
        guard ci_jpeg_header(bytes, bytes.count, &info, &message.bytes) == 1 else {
            throw CodecError("not a JPEG image: \(message.text)")
        }
        guard info.is_cmyk == 0 else { throw CodecError("a JPEG image in CMYK: convert it to RGB", unsupported: true) }
        return (Int(info.width), Int(info.height))
    }

    /// The image as it is stored, not rotated.
    static func decode(_ bytes: [UInt8]) throws(CodecError) -> RGBImage {
        let (width, height) = try size(bytes)
        var message = CMessage()
        var code: Int32 = 0
        let pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { buffer, count in
            code = ci_jpeg_decode(
                bytes, bytes.count, UInt32(width), UInt32(height), buffer.baseAddress, &message.bytes)
            count = code == 1 ? buffer.count : 0
        }
        guard code == 1 else { throw CodecError("a damaged JPEG image: \(message.text)") }
        return RGBImage(width: width, height: height, pixels: pixels)
    }
}

/// What a C decoder says of its failure.
struct CMessage {
    var bytes = [CChar](repeating: 0, count: Int(CI_MESSAGE_SIZE))
    var text: String { String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) }
}
