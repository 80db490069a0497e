/// An attribute, as its message has it.
struct StoredAttribute {
    let name: String
    let type: StoredType
    let shape: [Int]
    let value: ArraySlice<UInt8>

    /// Nil for a version that is not known.
    init?(_ body: ArraySlice<UInt8>, _ path: String) throws(HDF5Error) {
        var cursor = Cursor(body, path)
        let version = try cursor.u8()
        guard (1...3).contains(version), try cursor.u8() & 3 == 0 || version == 1 else { return nil }
        let (nameSize, typeSize, spaceSize) = (try cursor.u16(), try cursor.u16(), try cursor.u16())
        if version == 3 { try cursor.skip(1) }
        func padded(_ size: Int) -> Int { version == 1 ? (size + 7) / 8 * 8 : size }
        name = String(decoding: try cursor.take(padded(nameSize)).prefix { $0 != 0 }, as: UTF8.self)
        type = try StoredType(try cursor.take(padded(typeSize)), path)
        shape = try StoredType.shape(try cursor.take(padded(spaceSize)), path)
        guard case .text(let size) = type else {
            value = []
            return
        }
        value = try cursor.take(min(size, cursor.remaining))
    }
}
