/// Little-endian numbers off a block of bytes; every step is checked.
struct Cursor {
    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int
    private let path: String

    init(_ bytes: ArraySlice<UInt8>, _ path: String) {
        (self.bytes, position, self.path) = (bytes, bytes.startIndex, path)
    }

    init(_ bytes: [UInt8], _ path: String) { self.init(bytes[...], path) }

    var remaining: Int { bytes.endIndex - position }

    mutating func take(_ count: Int) throws(HDF5Error) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else { throw HDF5Error(path: path, "has a header that ends too early") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func skip(_ count: Int) throws(HDF5Error) { _ = try take(count) }

    mutating func number(_ width: Int) throws(HDF5Error) -> UInt64 {
        try take(width).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func u8() throws(HDF5Error) -> UInt8 { UInt8(truncatingIfNeeded: try number(1)) }
    mutating func u16() throws(HDF5Error) -> Int { Int(try number(2)) }
    mutating func u32() throws(HDF5Error) -> UInt32 { UInt32(truncatingIfNeeded: try number(4)) }
    mutating func u64() throws(HDF5Error) -> UInt64 { try number(8) }

    mutating func expect(_ signature: String) throws(HDF5Error) {
        guard try take(signature.utf8.count).elementsEqual(signature.utf8) else {
            throw HDF5Error(path: path, "lacks the mark \(signature): it is damaged")
        }
    }
}
