/// Pixels of 8-bit red, green and blue.
package struct DecodedImage: Sendable, Equatable {
    package let width, height: Int
    /// `3·width·height` values, row by row.
    package let pixels: [UInt8]

    package init(width: Int, height: Int, pixels: [UInt8]) {
        (self.width, self.height, self.pixels) = (width, height, pixels)
    }
}

extension DecodedImage {
    /// An RGBA image over white, with the stored (sRGB) values, as browsers show it.
    init(width: Int, height: Int, rgba: [UInt8]) {
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
