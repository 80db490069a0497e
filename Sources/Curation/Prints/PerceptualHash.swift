package import Images
import Codecs
import Glibc

/// The 64-bit perceptual hash of an image: which of the 8×8 lowest frequencies of its discrete cosine transform, in gray at
/// 32×32 pixels, lie above their median. That of the package `imagehash` (`phash`), first bit highest.
package enum PerceptualHash {
    private static let side = 32
    private static let kept = 8

    /// cos(π·k·(2n + 1) / 64), by k then n.
    private static let cosines: [Double] = (0..<kept * side).map { index in
        let (k, n) = index.quotientAndRemainder(dividingBy: side)
        return cos(.pi * Double(k) * Double(2 * n + 1) / Double(2 * side))
    }

    /// The hash of an image, and that of its mirror image.
    package static func hashes(_ image: RGBImage) -> (plain: UInt64, mirrored: UInt64) {
        let reduced = ReducedImage(image)
        return hashes(reduced.gray, width: reduced.width, height: reduced.height)
    }

    /// - Parameter gray: three equal values per pixel.
    static func hashes(_ gray: [UInt8], width: Int, height: Int) -> (plain: UInt64, mirrored: UInt64) {
        let small = Resampling.resize(gray, width: width, height: height, to: side, side)
        // The frequencies across of each row, then down.
        var across = [Double](repeating: 0, count: side * kept)
        for y in 0..<side {
            for k in 0..<kept {
                var sum = 0.0
                for x in 0..<side { sum += Double(small[3 * (y * side + x)]) * cosines[k * side + x] }
                across[y * kept + k] = sum
            }
        }
        var low = [Double](repeating: 0, count: kept * kept)
        for v in 0..<kept {
            for u in 0..<kept {
                var sum = 0.0
                for y in 0..<side { sum += across[y * kept + u] * cosines[v * side + y] }
                low[v * kept + u] = sum
            }
        }
        // Mirrored, the odd frequencies across change their sign.
        let mirrored = low.enumerated().map { $0 % 2 == 0 ? $1 : -$1 }
        return (bits(low), bits(mirrored))
    }

    private static func bits(_ values: [Double]) -> UInt64 {
        let sorted = values.sorted()
        let median = (sorted[values.count / 2 - 1] + sorted[values.count / 2]) / 2
        return values.reduce(0) { $0 << 1 | ($1 > median ? 1 : 0) }
    }
}
