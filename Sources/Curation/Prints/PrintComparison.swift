/// The thumbnails of two prints, compared under every crop and mirrored.
///
/// Each has its mean taken off and its spread set to 1, so that brightness, contrast and a color cast do not count; spreads
/// below `floor` are noise and stay small. The distance is the root mean square difference of brightness, or half that
/// of color where it is larger: 0 for the same image, about 1.4 for two that have nothing in common.
package struct PrintComparison: Sendable {
    /// Beyond this, no crop of one image is the other: crops are not tried.
    private static let hopeless: Float = 1.1
    private static let floor: Float = 12
    private static let chromaWeight: Float = 0.5

    /// Normalized values: brightness, then colors.
    private struct View: Sendable {
        let luma, chroma: [Float]
    }

    private let print: ImagePrint
    private let whole, mirrored: View

    package init(_ print: ImagePrint) {
        self.print = print
        whole = Self.view(print, .whole, mirrored: false)
        mirrored = Self.view(print, .whole, mirrored: true)
    }

    /// - Parameters:
    ///   - other: what it is compared with.
    ///   - limit: what counts as near; a larger distance may be said too large.
    package func distance(to other: PrintComparison, limit: Float = 0) -> Float {
        let plain = Self.distance(whole, other.whole)
        if plain <= limit { return plain }
        let mirrorDistance = Self.distance(mirrored, other.whole)
        var best = min(plain, mirrorDistance)
        if best <= limit || best > Self.hopeless { return best }
        for isMirrored in [false, true] where (isMirrored ? mirrorDistance : plain) <= Self.hopeless {
            for box in CropBox.compared.dropFirst() {
                let ownPart = Self.view(print, box, mirrored: isMirrored)
                best = min(best, Self.distance(ownPart, other.whole))
                let otherPart = Self.view(other.print, box, mirrored: isMirrored)
                best = min(best, Self.distance(whole, otherPart))
                if best <= limit { return best }
            }
        }
        return best
    }

    /// The same without crops, which is never smaller.
    package func quickDistance(to other: PrintComparison) -> Float {
        min(Self.distance(whole, other.whole), Self.distance(mirrored, other.whole))
    }

    private static func distance(_ a: View, _ b: View) -> Float {
        let luma = mean(a.luma, b.luma)
        return max(luma, chromaWeight * (2 * mean(a.chroma, b.chroma) * mean(a.chroma, b.chroma)).squareRoot())
    }

    /// The root mean square difference.
    private static func mean(_ a: [Float], _ b: [Float]) -> Float {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var sum: Float = 0
                for index in 0..<a.count { sum += (a[index] - b[index]) * (a[index] - b[index]) }
                return (sum / Float(a.count)).squareRoot()
            }
        }
    }

    private static func view(_ print: ImagePrint, _ box: CropBox, mirrored: Bool) -> View {
        let half = print.chroma.count / 2
        let side = ImagePrint.chromaSide
        let luma = cut(print.luma[...], ImagePrint.lumaSide, box, mirrored)
        let blue = cut(print.chroma[..<half], side, box, mirrored)
        let red = cut(print.chroma[half...], side, box, mirrored)
        // Both colors have one spread: their relation is what color is.
        let (blueCentered, redCentered) = (centered(blue), centered(red))
        let spread = ((squares(blueCentered) + squares(redCentered)) / Float(half)).squareRoot()
        let scale = 1 / max(spread, floor)
        let brightness = centered(luma)
        let lumaScale = 1 / max((squares(brightness) / Float(luma.count)).squareRoot(), floor)
        return View(
            luma: brightness.map { $0 * lumaScale },
            chroma: blueCentered.map { $0 * scale } + redCentered.map { $0 * scale })
    }

    private static func centered(_ values: [Float]) -> [Float] {
        let mean = values.reduce(0, +) / Float(values.count)
        return values.map { $0 - mean }
    }

    private static func squares(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 } }

    /// A part of a square thumbnail, scaled to its size again: linear between pixels.
    private static func cut(_ pixels: ArraySlice<UInt8>, _ side: Int, _ box: CropBox, _ mirrored: Bool) -> [Float] {
        func places(_ from: Double, _ to: Double) -> [(Int, Int, Float)] {
            (0..<side).map { index in
                let place = (from + (to - from) * (Double(index) + 0.5) / Double(side)) * Double(side) - 0.5
                let low = min(max(Int(place.rounded(.down)), 0), side - 1)
                return (low, min(low + 1, side - 1), Float(min(max(place - Double(low), 0), 1)))
            }
        }
        let (columns, rows) = (places(box.left, box.right), places(box.top, box.bottom))
        var out = [Float](repeating: 0, count: side * side)
        pixels.withUnsafeBufferPointer { pixels in
            for (y, (top, bottom, down)) in rows.enumerated() {
                for (x, (left, right, across)) in columns.enumerated() {
                    let above =
                        Float(pixels[top * side + left]) * (1 - across) + Float(pixels[top * side + right]) * across
                    let below =
                        Float(pixels[bottom * side + left]) * (1 - across) + Float(pixels[bottom * side + right])
                        * across
                    out[y * side + (mirrored ? side - 1 - x : x)] = above * (1 - down) + below * down
                }
            }
        }
        return out
    }
}
