/// An image of 8-bit red, green and blue, decoded: what codecs, networks, imports and drawings hand each other.
///
/// ```swift
/// let white = RGBImage(width: 2, height: 1, pixels: [UInt8](repeating: 255, count: 6))
/// ```
package struct RGBImage: Sendable, Equatable {
    package let width, height: Int
    /// `3·width·height` values, row by row.
    package let pixels: [UInt8]

    /// - Precondition: there are `3·width·height` values.
    package init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(pixels.count == 3 * width * height, "\(pixels.count) values for \(width)×\(height) pixels")
        (self.width, self.height, self.pixels) = (width, height, pixels)
    }

    /// An RGBA image over white, with the stored (sRGB) values, as browsers show it.
    ///
    /// - Precondition: there are `4·width·height` values.
    package init(width: Int, height: Int, rgba: [UInt8]) {
        precondition(rgba.count == 4 * width * height, "\(rgba.count) values for \(width)×\(height) pixels")
        let pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { buffer, count in
            for pixel in 0..<width * height {
                let alpha = Int(rgba[4 * pixel + 3])
                let white = 255 * (255 - alpha) + 127
                for channel in 0..<3 {
                    buffer[3 * pixel + channel] = UInt8((Int(rgba[4 * pixel + channel]) * alpha + white) / 255)
                }
            }
            count = buffer.count
        }
        self.init(width: width, height: height, pixels: pixels)
    }
}
