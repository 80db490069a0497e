/// An RGB color of 8 bits per channel.
struct Color: Equatable {
    let red: UInt8
    let green: UInt8
    let blue: UInt8

    static let white = Color(red: 255, green: 255, blue: 255)
    static let ink = Color(red: 32, green: 32, blue: 36)
    static let gray = Color(red: 120, green: 120, blue: 126)
    static let mark = Color(red: 214, green: 64, blue: 32)
}

/// An image that images, frames and text are drawn on.
struct Canvas {
    let width: Int
    let height: Int
    /// Row-major RGB.
    private(set) var pixels: [UInt8]

    init(width: Int, height: Int, background: Color = .white) {
        self.width = width
        self.height = height
        pixels = []
        pixels.reserveCapacity(width * height * 3)
        for _ in 0..<width * height { pixels += [background.red, background.green, background.blue] }
    }

    /// Sets a pixel; what falls outside is left out.
    mutating func set(_ x: Int, _ y: Int, _ color: Color) {
        guard 0..<width ~= x, 0..<height ~= y else { return }
        let at = (y * width + x) * 3
        pixels[at] = color.red
        pixels[at + 1] = color.green
        pixels[at + 2] = color.blue
    }

    mutating func fill(x: Int, y: Int, width: Int, height: Int, _ color: Color) {
        for row in y..<y + max(height, 0) {
            for column in x..<x + max(width, 0) { set(column, row, color) }
        }
    }

    /// A frame of `thickness` around the given area, outside it.
    mutating func frame(x: Int, y: Int, width: Int, height: Int, thickness: Int, _ color: Color) {
        let full = width + 2 * thickness
        fill(x: x - thickness, y: y - thickness, width: full, height: thickness, color)
        fill(x: x - thickness, y: y + height, width: full, height: thickness, color)
        fill(x: x - thickness, y: y, width: thickness, height: height, color)
        fill(x: x + width, y: y, width: thickness, height: height, color)
    }

    /// Puts an image in a cell, shrunk or enlarged to `size` by nearest pixel.
    mutating func draw(_ picture: Picture, x: Int, y: Int, size: Int) {
        for row in 0..<size {
            for column in 0..<size {
                let from = (row * picture.height / size * picture.width + column * picture.width / size) * 3
                let color = Color(
                    red: picture.pixels[from], green: picture.pixels[from + 1], blue: picture.pixels[from + 2])
                set(x + column, y + row, color)
            }
        }
    }

    /// Writes one line of text with its upper left corner at (x, y).
    mutating func write(_ text: String, x: Int, y: Int, scale: Int = 1, _ color: Color = .ink) {
        var left = x
        for scalar in text.unicodeScalars {
            for (row, bits) in BitmapFont.rows(scalar).enumerated() {
                for column in 0..<BitmapFont.width where bits >> (BitmapFont.width - 1 - column) & 1 == 1 {
                    fill(x: left + column * scale, y: y + row * scale, width: scale, height: scale, color)
                }
            }
            left += BitmapFont.advance * scale
        }
    }
}

/// Pixels of a decoded image, row-major RGB.
struct Picture {
    let width: Int
    let height: Int
    let pixels: [UInt8]
}
