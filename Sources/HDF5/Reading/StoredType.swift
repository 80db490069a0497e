/// What a dataset or attribute holds.
enum StoredType: Equatable {
    case integer(bytes: Int, signed: Bool)
    case float(bytes: Int)
    /// Of fixed length.
    case text(bytes: Int)
    case other

    /// Little-endian numbers without padding, and fixed texts; everything else is `.other`.
    init(_ message: ArraySlice<UInt8>, _ path: String) throws(HDF5Error) {
        var cursor = Cursor(message, path)
        let kind = try cursor.u8() & 15
        let bits = try cursor.number(3)
        let size = Int(try cursor.u32())
        switch kind {
        case 0:
            let (offset, precision) = (try cursor.u16(), try cursor.u16())
            self =
                bits & 1 == 0 && offset == 0 && precision == 8 * size
                ? .integer(bytes: size, signed: bits & 8 != 0) : .other
        case 1:
            let (offset, precision) = (try cursor.u16(), try cursor.u16())
            let fields = Array(try cursor.take(4))
            let isIEEE = size == 4 ? fields == [23, 8, 0, 23] : size == 8 && fields == [52, 11, 0, 52]
            self = bits & 0x41 == 0 && offset == 0 && precision == 8 * size && isIEEE ? .float(bytes: size) : .other
        case 3: self = .text(bytes: size)
        default: self = .other
        }
    }

    /// The size of the datatype message's fixed part, the extent of a dataspace: what both objects and attributes have.
    static func shape(_ message: ArraySlice<UInt8>, _ path: String) throws(HDF5Error) -> [Int] {
        var cursor = Cursor(message, path)
        let version = try cursor.u8()
        let rank = Int(try cursor.u8())
        guard version == 1 || version == 2, rank <= 8 else { throw HDF5Error(path: path, "has an unknown dataspace") }
        try cursor.skip(version == 1 ? 6 : 2)
        var shape: [Int] = []
        for _ in 0..<rank {
            let dimension = try cursor.u64()
            guard dimension <= 1 << 40 else {
                throw HDF5Error(path: path, "claims an impossible dimension \(dimension)")
            }
            shape.append(Int(dimension))
        }
        return shape
    }
}
