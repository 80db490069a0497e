import Codecs
import Corpus
package import Diffusion

/// How pictures are brought to one size.
package enum PictureFit: String, CaseIterable, Sendable {
    /// Scaled until the size is covered, and the middle cut out.
    case crop
    /// Scaled to the size, whatever becomes of the proportions.
    case stretch
    /// As it is.
    case keep
}

/// Turns a picture file into what a sample needs.
struct PicturePreparation: Sendable {
    /// Width and height in pixels; nil keeps pictures as they are.
    let size: Int?
    let fit: PictureFit

    /// What is known of a picture before it is decoded.
    struct Plan: Sendable {
        let picture: Picture
        let kind: PictureKind
        let file: Digest
        let width, height: Int
        let fit: PictureFit
    }

    /// Looks at the file's name, first bytes and header.
    func plan(_ picture: Picture) throws(ImportError) -> Plan {
        guard let kind = PictureKind(picture.bytes) else {
            throw ImportError(picture.place, "is neither a PNG nor a JPEG file")
        }
        if let named = PictureKind(named: picture.place), named != kind {
            throw ImportError(
                picture.place, "has the name of a \(named.rawValue) file and is \(kind.rawValue): rename it")
        }
        let (width, height) = try explained(picture) { () throws(CodecError) in
            switch kind {
            case .png: try PNG.size(picture.bytes)
            case .jpeg: try JPEG.size(picture.bytes)
            }
        }
        let keeps = size == nil || (width == size && height == size)
        return Plan(
            picture: picture, kind: kind, file: Digest(of: picture.bytes), width: keeps ? width : size ?? width,
            height: keeps ? height : size ?? height, fit: keeps ? .keep : fit)
    }

    struct Prepared: Sendable {
        let png: [UInt8]
        let image: RGBImage
    }

    /// Decodes, scales, and encodes again unless the file can stay as it is.
    func prepare(_ plan: Plan) throws(ImportError) -> Prepared {
        let picture = plan.picture
        return try explained(picture) { () throws(CodecError) in
            let decoded =
                switch plan.kind {
                case .png: try PNG.decode(picture.bytes)
                case .jpeg: try JPEG.decode(picture.bytes)
                }
            let pixels = fitted(decoded, plan)
            let image = RGBImage(width: plan.width, height: plan.height, pixels: pixels)
            if plan.fit == .keep, plan.kind == .png, PNG.isPlain(picture.bytes) {
                return Prepared(png: picture.bytes, image: image)
            }
            return Prepared(
                png: try PNG.encode(width: plan.width, height: plan.height, pixels: pixels), image: image)
        }
    }

    private func fitted(_ image: (width: Int, height: Int, pixels: [UInt8]), _ plan: Plan) -> [UInt8] {
        let (width, height) = (image.width, image.height)
        switch plan.fit {
        case .keep: return image.pixels
        case .stretch:
            return Resampling.resize(image.pixels, width: width, height: height, to: plan.width, plan.height)
        case .crop:
            let scale = max(Double(plan.width) / Double(width), Double(plan.height) / Double(height))
            let wide = max(Int((Double(width) * scale).rounded()), plan.width)
            let high = max(Int((Double(height) * scale).rounded()), plan.height)
            let scaled = Resampling.resize(image.pixels, width: width, height: height, to: wide, high)
            return Resampling.crop(scaled, width: wide, height: high, to: plan.width, plan.height)
        }
    }

    private func explained<R>(_ picture: Picture, _ body: () throws(CodecError) -> R) throws(ImportError) -> R {
        do throws(CodecError) { return try body() } catch {
            throw ImportError(picture.place, "is \(error.description)")
        }
    }
}
