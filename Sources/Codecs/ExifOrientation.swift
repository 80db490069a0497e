/// How a camera was held: the orientation tag (0x0112) of a JPEG file's Exif block.
struct ExifOrientation {
    /// 1 to 8; 1 is upright.
    let value: Int

    init(_ file: [UInt8]) { value = Self.find(file) ?? 1 }

    /// The picture turned and mirrored as the tag asks.
    func upright(_ width: Int, _ height: Int, _ pixels: [UInt8]) -> (width: Int, height: Int, pixels: [UInt8]) {
        guard (2...8).contains(value) else { return (width, height, pixels) }
        let swapsSides = value >= 5
        let (newWidth, newHeight) = swapsSides ? (height, width) : (width, height)
        var out = [UInt8](repeating: 0, count: pixels.count)
        for y in 0..<newHeight {
            for x in 0..<newWidth {
                let (column, row) = source(x, y, width: width, height: height)
                let (from, to) = (3 * (row * width + column), 3 * (y * newWidth + x))
                out[to] = pixels[from]
                out[to + 1] = pixels[from + 1]
                out[to + 2] = pixels[from + 2]
            }
        }
        return (newWidth, newHeight, out)
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

    /// Walks the markers up to the image data; anything odd means that there is no tag.
    private static func find(_ file: [UInt8]) -> Int? {
        var place = 2
        while place + 4 <= file.count, file[place] == 0xFF, file[place + 1] != 0xDA {
            let length = Int(file[place + 2]) << 8 | Int(file[place + 3])
            guard length >= 2, place + 2 + length <= file.count else { return nil }
            if file[place + 1] == 0xE1, let found = tag(file[(place + 4)..<(place + 2 + length)]) { return found }
            place += 2 + length
        }
        return nil
    }

    /// The tag in an Exif block, which is a small TIFF file of either byte order.
    private static func tag(_ block: ArraySlice<UInt8>) -> Int? {
        guard block.starts(with: Array("Exif\0\0".utf8)) else { return nil }
        let tiff = Array(block.dropFirst(6))
        guard tiff.count >= 8, tiff[0] == tiff[1], tiff[0] == 0x49 || tiff[0] == 0x4D else { return nil }
        let isLittle = tiff[0] == 0x49
        func number(_ place: Int, _ bytes: Int) -> Int? {
            guard place >= 0, place + bytes <= tiff.count else { return nil }
            let digits = tiff[place..<place + bytes]
            return (isLittle ? Array(digits.reversed()) : Array(digits)).reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
        for entry in 0..<min(count, 512) {
            let place = directory + 2 + 12 * entry
            guard let id = number(place, 2), let value = number(place + 8, 2) else { return nil }
            if id == 0x0112 { return (1...8).contains(value) ? value : nil }
        }
        return nil
    }
}
