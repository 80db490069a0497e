import Images
import Codecs
import CorpusStore
import Foundation

/// How images are brought to one size.
package enum ImageFit: String, CaseIterable, Sendable {
    /// Scaled until the size is covered, and the middle cut out.
    case crop
    /// Scaled to the size, whatever becomes of the proportions.
    case stretch
    /// As it is.
    case keep
}

/// Turns an image file into what a sample needs.
struct ImagePreparation: Sendable {
    /// Width and height in pixels; nil keeps images as they are.
    let size: Int?
    let fit: ImageFit
    /// The most pixels that an image may have, whatever its file says.
    let largest: Int

    /// What is known of an image before it is decoded.
    struct Plan: Sendable {
        let captioned: CaptionedImage
        let image: ImageFile
        let file: Digest
        let width, height: Int
        let fit: ImageFit

        /// What is held in memory while it is prepared.
        var pixels: Int { image.width * image.height + width * height }
    }

    /// Looks at the file's first bytes and header. What the file is called does not matter.
    func plan(_ captioned: CaptionedImage) throws(ImportError) -> Plan {
        guard let format = ImageFormat(captioned.bytes) else {
            throw ImportError(
                captioned.place,
                captioned.bytes.isEmpty ? "is an empty file" : "is neither a PNG, a JPEG nor a WebP file",
                skippable: .format)
        }
        guard format.isRead else {
            throw ImportError(
                captioned.place, "is a \(format.rawValue) image, and only PNG, JPEG and WebP are read: convert it",
                skippable: .format)
        }
        let image = try explained(captioned) { () throws(CodecError) in try ImageFile(captioned.bytes, format: format) }
        let (width, height) = (image.width, image.height)
        guard width * height <= largest else {
            throw ImportError(
                captioned.place,
                "claims to have \(width)×\(height) pixels, more than \(largest); scale it down, or raise --max-pixels",
                skippable: .size)
        }
        let keeps = size == nil || (width == size && height == size)
        return Plan(
            captioned: captioned, image: image, file: Digest(of: captioned.bytes), width: keeps ? width : size ?? width,
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
                plan.captioned.place,
                "needs more memory than there is for its \(plan.image.width)×\(plan.image.height) pixels: scale it down",
                skippable: .size)
        }
        return try explained(plan.captioned) { () throws(CodecError) in
            let (decoded, isPlain) = try plan.image.decode()
            let image = RGBImage(width: plan.width, height: plan.height, pixels: fitted(decoded, plan))
            if plan.fit == .keep, isPlain { return Prepared(png: plan.captioned.bytes, image: image) }
            return Prepared(
                png: try PNG.encode(image), image: image)
        }
    }

    /// Whether a large image's pixels fit in memory: an array that does not would end the process.
    private static func canHold(_ plan: Plan) -> Bool {
        // Decoded with transparency, and once more as it will be.
        let bytes = 7 * plan.image.width * plan.image.height + 7 * plan.width * plan.height
        guard bytes > 1 << 28 else { return true }
        guard let pages = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            pages != MAP_FAILED
        else { return false }
        munmap(pages, bytes)
        return true
    }

    private func fitted(_ image: RGBImage, _ plan: Plan) -> [UInt8] {
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

    private func explained<R>(_ captioned: CaptionedImage, _ body: () throws(CodecError) -> R) throws(ImportError) -> R
    {
        do throws(CodecError) { return try body() } catch {
            throw ImportError(
                captioned.place, "is \(error.description)", skippable: error.isUnsupported ? .format : .damaged)
        }
    }
}
