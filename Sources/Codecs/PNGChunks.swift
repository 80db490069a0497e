import CZlib

extension PNG {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Width and height as the file states them, without decoding.
    package static func size(_ bytes: [UInt8]) throws(CodecError) -> (width: Int, height: Int) {
        guard bytes.count >= 33, bytes.starts(with: signature), bytes[12..<16].elementsEqual("IHDR".utf8) else {
            throw CodecError("not a PNG image")
        }
        let (width, height) = (number(bytes, at: 16), number(bytes, at: 20))
        guard width > 0, height > 0, width <= Int(Int32.max), height <= Int(Int32.max) else {
            throw CodecError("a damaged PNG image: it states \(width)×\(height) pixels")
        }
        return (width, height)
    }

    /// Whether every program sees the same pixels in this file: 8-bit red, green and blue, without transparency, gamma,
    /// orientation or a color profile that some follow and others do not, and without chunks that some refuse.
    ///
    /// Checksums are not looked at; `decodeAndCheck(_:limit:)` does.
    package static func isPlain(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 33, bytes.starts(with: signature), bytes[24] == 8, bytes[25] == 2 else { return false }
        var (kinds, place) = ([String](), 8)
        for chunk in Chunks(bytes: bytes) {
            guard isHarmless(chunk) else { return false }
            kinds.append(chunk.kind)
            place = chunk.end
        }
        return place == bytes.count && kinds.first == "IHDR" && kinds.last == "IEND" && kinds.contains("IDAT")
            && kinds.count { $0 == "IHDR" || $0 == "IEND" } == 2 && Metadata.orientation(png: bytes) == 1
    }

    /// Whether the file is complete and the checksums of all its chunks are right; pixels are not decoded, and what comes after
    /// the last chunk is not looked at, as by other readers.
    package static func isIntact(_ bytes: [UInt8]) -> Bool {
        guard bytes.starts(with: signature) else { return false }
        for chunk in Chunks(bytes: bytes) {
            guard chunk.isWhole(in: bytes) else { return false }
            if chunk.kind == "IEND" { return true }
        }
        return false
    }

    /// Text that unpacks to at most this much is read by every program.
    private static let largestPackedText = 1000

    private static func isHarmless(_ chunk: Chunk) -> Bool {
        let data = chunk.data
        switch chunk.kind {
        case "IHDR": return data.count == 13
        case "IDAT": return true
        case "IEND": return data.isEmpty
        case "sRGB": return data.count == 1
        case "pHYs": return data.count == 9
        case "tIME": return data.count == 7
        case "tEXt": return data.count < 1 << 20 && Text(chunk) != nil
        // Deflate shrinks by 1032 at most.
        case "zTXt", "iTXt": return Text(chunk).map { !$0.isPacked || data.count <= largestPackedText } ?? false
        default: return false
        }
    }

    private static func number(_ bytes: [UInt8], at place: Int) -> Int {
        bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// A chunk whose length fits in its file.
    struct Chunk {
        let kind: String
        let data: ArraySlice<UInt8>
        let checksum: Int
        /// Where the next one begins.
        var end: Int { data.endIndex + 4 }

        /// Whether its checksum is right.
        func isWhole(in bytes: [UInt8]) -> Bool {
            bytes.withUnsafeBufferPointer { buffer in
                let start = buffer.baseAddress.map { $0 + data.startIndex - 4 }
                return Int(crc32(0, start, UInt32(data.count + 4))) == checksum
            }
        }
    }

    struct Chunks: Sequence, IteratorProtocol {
        let bytes: [UInt8]
        private var place = 8

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func next() -> Chunk? {
            guard place + 12 <= bytes.count else { return nil }
            let length = number(bytes, at: place)
            guard length <= bytes.count - place - 12 else { return nil }
            let data = bytes[place + 8..<place + 8 + length]
            let chunk = Chunk(
                kind: String(decoding: bytes[place + 4..<place + 8], as: UTF8.self), data: data,
                checksum: number(bytes, at: place + 8 + length))
            place = chunk.end
            return chunk
        }
    }

    /// What a text chunk holds.
    struct Text {
        let keyword: String
        let isPacked: Bool
        private let stored: ArraySlice<UInt8>

        /// Nil for a chunk that is malformed, or of another kind.
        init?(_ chunk: Chunk) {
            let data = chunk.data
            guard let zero = data.firstIndex(of: 0), (1..<80).contains(zero - data.startIndex) else { return nil }
            keyword = String(decoding: data[..<zero], as: UTF8.self)
            var rest = data[(zero + 1)...]
            switch chunk.kind {
            case "tEXt": isPacked = false
            case "zTXt":
                guard rest.popFirst() == 0 else { return nil }
                isPacked = true
            case "iTXt":
                guard let flag = rest.popFirst(), flag <= 1, rest.popFirst() == 0 else { return nil }
                isPacked = flag == 1
                // Language and translated keyword.
                for _ in 0..<2 {
                    guard let end = rest.firstIndex(of: 0) else { return nil }
                    rest = rest[(end + 1)...]
                }
            default: return nil
            }
            stored = rest
        }

        /// Empty where it cannot be unpacked.
        var content: ArraySlice<UInt8> { isPacked ? PNG.unpacked(stored) : stored }
    }

    /// A zlib stream of at most 1 MiB.
    private static func unpacked(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var size = UInt(1 << 20)
        var out = [UInt8](repeating: 0, count: Int(size))
        guard uncompress(&out, &size, Array(bytes), UInt(bytes.count)) == Z_OK else { return [] }
        return out.prefix(Int(size))
    }
}
