import Images
import Codecs
import Tensors

/// Decodes images on all cores; the first that fails, in their order, is the error.
enum ImageDecoding {
    static func decode(
        _ names: [String], _ bytes: @Sendable (String) throws -> [UInt8]
    ) throws -> [RGBImage] {
        try Parallel.map(names.count) { index in
            Result { try decoded(bytes(names[index]), names[index]) }
        }.map { try $0.get() }
    }

    private static func decoded(_ bytes: [UInt8], _ name: String) throws -> RGBImage {
        guard let format = ImageFormat(bytes), format.isRead else {
            throw Failure("\(name): is not a PNG, JPEG or WebP image, whatever its name: remove or convert it")
        }
        do throws(CodecError) {
            let file = try ImageFile(bytes, format: format)
            guard file.width * file.height <= largestImage else {
                throw CodecError("has \(file.width)×\(file.height) pixels, too many to be decoded: scale it down")
            }
            return try file.decode().image
        } catch {
            throw Failure("\(name): \(error.description)")
        }
    }

    /// Pixels; what a file claims is no reason to take all memory.
    private static let largestImage = 1 << 28
}
