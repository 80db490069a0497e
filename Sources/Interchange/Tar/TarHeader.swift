/// One header block of a tar archive: 512 bytes (POSIX ustar).
enum TarHeader {
    static let blockSize = 512

    /// A regular file's header, the same bytes every time: no owner, no time, mode 0644.
    ///
    /// - Parameters:
    ///   - name: at most 100 bytes.
    ///   - size: below 8 GiB, which is what eleven octal digits hold.
    static func regularFile(_ name: String, size: Int) -> [UInt8] {
        let name = Array(name.utf8)
        precondition(name.count <= 100 && size < 1 << 33, "what a ustar header holds")
        var block = [UInt8](repeating: 0, count: blockSize)
        func put(_ bytes: some Sequence<UInt8>, at place: Int) {
            for (offset, byte) in bytes.enumerated() { block[place + offset] = byte }
        }
        func octal(_ value: Int, digits: Int) -> [UInt8] {
            let text = String(value, radix: 8)
            return Array((String(repeating: "0", count: digits - text.utf8.count) + text).utf8)
        }
        put(name, at: 0)
        put(octal(0o644, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        put(Array(repeating: UInt8(ascii: " "), count: 8), at: 148)
        block[156] = UInt8(ascii: "0")
        put("ustar".utf8, at: 257)
        put("00".utf8, at: 263)
        put(octal(checksum(block), digits: 6) + [0, UInt8(ascii: " ")], at: 148)
        return block
    }

    /// The sum of all bytes, those of the checksum itself counted as blanks.
    static func checksum(_ block: [UInt8]) -> Int {
        block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
    }

    /// Zeros after a file's bytes, up to the next block.
    static func padding(after size: Int) -> Int { (blockSize - size % blockSize) % blockSize }
}
