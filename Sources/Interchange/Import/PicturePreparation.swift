import Codecs
import Corpus
package import Diffusion
import Foundation

/// How images are brought to one size.
package enum PictureFit: String, CaseIterable, Sendable {
    /// Scaled until the size is covered, and the middle cut out.
    case crop
    /// Scaled to the size, whatever becomes of the proportions.
    case stretch
    /// As it is.
    case keep
}

/// Turns an image file into what a sample needs.
struct PicturePreparation: Sendable {
    /// Width and height in pixels; nil keeps images as they are.
    let size: Int?
    let fit: PictureFit
    /// The most pixels that an image may have, whatever its file says.
    let largest: Int

    /// What is known of an image before it is decoded.
    struct Plan: Sendable {
        let picture: Picture
        let image: ImageFile
        let file: Digest
        let width, height: Int
        let fit: PictureFit

        /// What is held in memory while it is prepared.
        var pixels: Int { image.width * image.height + width * height }
    }

    /// Looks at the file's first bytes and header. What the file is called does not matter.
    func plan(_ picture: Picture) throws(ImportError) -> Plan {
        guard let format = ImageFormat(picture.bytes) else {
            throw ImportError(
                picture.place,
                picture.bytes.isEmpty ? "is an empty file" : "is neither a PNG, a JPEG nor a WebP file",
                skippable: .format)
        }
        guard format.isRead else {
            throw ImportError(
                picture.place, "is a \(format.rawValue) image, and only PNG, JPEG and WebP are read: convert it",
                skippable: .format)
        }
        let image = try explained(picture) { () throws(CodecError) in try ImageFile(picture.bytes, format: format) }
        let (width, height) = (image.width, image.height)
        guard width * height <= largest else {
            throw ImportError(
                picture.place,
                "claims to have \(width)×\(height) pixels, more than \(largest); scale it down, or raise --max-pixels",
                skippable: .size)
        }
        let keeps = size == nil || (width == size && height == size)
        return Plan(
            picture: picture, image: image, file: Digest(of: picture.bytes), width: keeps ? width : size ?? width,
            height: keeps ? height : size ?? height, fit: keeps ? .keep : fit)
    }

    struct Prepared: Sendable {
        let png: [UInt8]
        let image: RGBImage
    }

    /// Decodes, scales, and encodes again unless the file can stay as it is.
    func prepare(_ plan: Plan) throws(ImportError) -> Prepared {
        guard Self.canHold(plan) else {
            throw ImportError(
                plan.picture.place,
                "needs more memory than there is for its \(plan.image.width)×\(plan.image.height) pixels: scale it down",
                skippable: .size)
        }
        return try explained(plan.picture) { () throws(CodecError) in
            let (decoded, isPlain) = try plan.image.decode()
            let image = RGBImage(width: plan.width, height: plan.height, pixels: fitted(decoded, plan))
            if plan.fit == .keep, isPlain { return Prepared(png: plan.picture.bytes, image: image) }
            return Prepared(
                png: try PNG.encode(width: plan.width, height: plan.height, pixels: image.pixels), image: image)
        }
    }

    /// Whether a large image's pixels fit in memory: an array that does not would end the process.
    private static func canHold(_ plan: Plan) -> Bool {
        // Decoded with transparency, and once more as it will be.
        let bytes = 7 * plan.image.width * plan.image.height + 7 * plan.width * plan.height
        guard bytes > 1 << 28 else { return true }
        guard let room = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            room != MAP_FAILED
        else { return false }
        munmap(room, bytes)
        return true
    }

    private func fitted(_ image: DecodedImage, _ plan: Plan) -> [UInt8] {
        let (width, height) = (image.width, image.height)
        switch plan.fit {
        case .keep: return image.pixels
        case .stretch:
            return Resampling.resize(image.pixels, width: width, height: height, to: plan.width, plan.height)
        case .crop:
            let scale = max(Double(plan.width) / Double(width), Double(plan.height) / Double(height))
            let wide = max(Int((Double(width) * scale).rounded()), plan.width)
            let high = max(Int((Double(height) * scale).rounded()), plan.height)
            // Only what is kept is scaled: of a thin image it is little.
            let middle = Resampling.Window(middleOf: wide, high, width: plan.width, height: plan.height)
            return Resampling.resize(image.pixels, width: width, height: height, to: wide, high, window: middle)
        }
    }

    private func explained<R>(_ picture: Picture, _ body: () throws(CodecError) -> R) throws(ImportError) -> R {
        do throws(CodecError) { return try body() } catch {
            throw ImportError(
                picture.place, "is \(error.description)", skippable: error.isUnsupported ? .format : .damaged)
        }
    }
}
