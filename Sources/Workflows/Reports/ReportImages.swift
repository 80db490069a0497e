import Codecs
import Foundation
import Images
import Markup

/// Images that a report brings along, in its own text.
enum ReportImages {
    /// Larger ones are scaled down: they are shown at half of this.
    static let side = 256

    /// - Parameters:
    ///   - png: the file's bytes.
    ///   - name: what errors call the image.
    ///   - alt: what it shows.
    static func markup(_ png: [UInt8], named name: String, alt: String) throws(Failure) -> Markup {
        let image: RGBImage
        do throws(CodecError) { image = try PNG.decode(png) } catch {
            throw Failure("\(name): is not a PNG that can be read (\(error)); make it again")
        }
        let longest = max(image.width, image.height)
        var (bytes, type) = (png, "image/png")
        if longest > side {
            let scale = Double(side) / Double(longest)
            let width = max(1, Int((Double(image.width) * scale).rounded()))
            let height = max(1, Int((Double(image.height) * scale).rounded()))
            let pixels = Resampling.resize(
                image.pixels, width: image.width, height: image.height, to: width, height)
            do throws(CodecError) {
                bytes = try WebPEncoding.encode(RGBImage(width: width, height: height, pixels: pixels))
            } catch { throw Failure("\(name): \(error)") }
            type = "image/webp"
        }
        return .tag(
            "img",
            [
                "src": "data:\(type);base64,\(Data(bytes).base64EncodedString())", "alt": String(alt.prefix(300)),
                "width": "\(image.width)", "height": "\(image.height)", "class": longest <= 96 ? "tiny" : nil,
            ])
    }

    static func figure(_ image: Markup, caption: String, isMarked: Bool = false) -> Markup {
        .tag(
            "figure", ["class": isMarked ? "chosen" : nil], image,
            .tag("figcaption", [:], "\(caption)\(isMarked ? " ✓" : "")"))
    }
}
