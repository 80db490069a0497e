extension PNG {
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Width and height as the file states them, without decoding.
    package static func size(_ bytes: [UInt8]) throws(CodecError) -> (width: Int, height: Int) {
        guard bytes.count >= 33, bytes.starts(with: signature), bytes[12..<16].elementsEqual("IHDR".utf8) else {
            throw CodecError("not a PNG image")
        }
        let (width, height) = (number(bytes, at: 16), number(bytes, at: 20))
        guard width > 0, height > 0, width <= 1 << 24, height <= 1 << 24, width * height <= largestPixelCount else {
            throw CodecError("a PNG image of \(width)×\(height) pixels is too large")
        }
        return (width, height)
    }

    /// Whether every program sees the same pixels in this file: 8-bit red, green and blue, without transparency, gamma
    /// or a colour profile that some apply and others do not.
    package static func isPlain(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 33, bytes.starts(with: signature), bytes[24] == 8, bytes[25] == 2 else { return false }
        let harmless: Set<String> = ["IHDR", "IDAT", "IEND", "tEXt", "zTXt", "iTXt", "pHYs", "tIME", "sRGB"]
        var place = 8
        while place + 12 <= bytes.count {
            guard harmless.contains(String(decoding: bytes[place + 4..<place + 8], as: UTF8.self)) else { return false }
            place += 12 + number(bytes, at: place)
        }
        return place == bytes.count
    }

    private static func number(_ bytes: [UInt8], at place: Int) -> Int {
        bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    }
}
