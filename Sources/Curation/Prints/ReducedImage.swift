import Images

/// An image averaged to about 128 to 255 pixels on its shorter side: what prints are made of, so that their cost does not
/// grow with what follows.
struct ReducedImage {
    let width, height: Int
    /// `3·width·height` values, row by row.
    let pixels: [UInt8]

    private static let shortest = 128

    init(_ image: RGBImage) {
        let step = max(min(image.width, image.height) / Self.shortest, 1)
        (width, height) = (image.width / step, image.height / step)
        guard step > 1 else {
            pixels = image.pixels
            return
        }
        let (width, height, stride) = (width, height, 3 * image.width)
        let area = step * step
        pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { out, count in
            image.pixels.withUnsafeBufferPointer { from in
                for y in 0..<height {
                    for x in 0..<width {
                        var (red, green, blue) = (0, 0, 0)
                        for row in y * step..<(y + 1) * step {
                            var place = row * stride + 3 * x * step
                            for _ in 0..<step {
                                red += Int(from[place])
                                green += Int(from[place + 1])
                                blue += Int(from[place + 2])
                                place += 3
                            }
                        }
                        let to = 3 * (y * width + x)
                        out[to] = UInt8((red + area / 2) / area)
                        out[to + 1] = UInt8((green + area / 2) / area)
                        out[to + 2] = UInt8((blue + area / 2) / area)
                    }
                }
            }
            count = out.count
        }
    }

    /// The same in gray, by Pillow's weights, in all three channels.
    var gray: [UInt8] {
        var out = pixels
        for start in stride(from: 0, to: pixels.count, by: 3) {
            let sum = 19595 * Int(pixels[start]) + 38470 * Int(pixels[start + 1]) + 7471 * Int(pixels[start + 2])
            let value = UInt8((sum + 0x8000) >> 16)
            (out[start], out[start + 1], out[start + 2]) = (value, value, value)
        }
        return out
    }
}

/// A part of an image, in shares of its sides.
struct CropBox {
    let left, top, right, bottom: Double

    static let whole = CropBox(left: 0, top: 0, right: 1, bottom: 1)

    /// What a crop of 5 % may leave: the middle, or all but two sides that meet.
    static let hashed: [CropBox] = [
        whole, CropBox(left: 0.025, top: 0.025, right: 0.975, bottom: 0.975),
        CropBox(left: 0.05, top: 0.05, right: 1, bottom: 1), CropBox(left: 0, top: 0.05, right: 0.95, bottom: 1),
        CropBox(left: 0.05, top: 0, right: 1, bottom: 0.95), CropBox(left: 0, top: 0, right: 0.95, bottom: 0.95),
    ]

    /// The same, and all but one side.
    static let compared: [CropBox] =
        hashed + [
            CropBox(left: 0.05, top: 0, right: 1, bottom: 1), CropBox(left: 0, top: 0, right: 0.95, bottom: 1),
            CropBox(left: 0, top: 0.05, right: 1, bottom: 1), CropBox(left: 0, top: 0, right: 1, bottom: 0.95),
        ]

    /// In whole pixels; at least one each way.
    func pixels(_ width: Int, _ height: Int) -> (columns: Range<Int>, rows: Range<Int>) {
        func range(_ from: Double, _ to: Double, _ count: Int) -> Range<Int> {
            let start = min(Int((from * Double(count)).rounded()), count - 1)
            return start..<max(Int((to * Double(count)).rounded()), start + 1)
        }
        return (range(left, right, width), range(top, bottom, height))
    }
}
