import Images

/// How a camera was held: the TIFF tag 0x0112, by which a stored image is rotated to stand upright.
struct Orientation {
    /// 1 to 8; 1 is upright.
    let value: Int

    var swapsSides: Bool { value >= 5 }

    /// The image rotated and mirrored as the tag asks.
    func upright(_ image: RGBImage) -> RGBImage {
        guard (2...8).contains(value) else { return image }
        let (width, height) = swapsSides ? (image.height, image.width) : (image.width, image.height)
        let pixels = [UInt8](unsafeUninitializedCapacity: image.pixels.count) { out, count in
            image.pixels.withUnsafeBufferPointer { pixels in
                for y in 0..<height {
                    for x in 0..<width {
                        let (column, row) = source(x, y, width: image.width, height: image.height)
                        let (from, to) = (3 * (row * image.width + column), 3 * (y * width + x))
                        out[to] = pixels[from]
                        out[to + 1] = pixels[from + 1]
                        out[to + 2] = pixels[from + 2]
                    }
                }
            }
            count = out.count
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    /// Which stored pixel is shown at (x, y).
    private func source(_ x: Int, _ y: Int, width: Int, height: Int) -> (column: Int, row: Int) {
        switch value {
        case 2: (width - 1 - x, y)
        case 3: (width - 1 - x, height - 1 - y)
        case 4: (x, height - 1 - y)
        case 5: (y, x)
        case 6: (y, height - 1 - x)
        case 7: (width - 1 - y, height - 1 - x)
        case 8: (width - 1 - y, x)
        default: (x, y)
        }
    }
}
