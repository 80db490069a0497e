/// Where the values of a dataset lie.
struct StoredDataset {
    enum Layout {
        case compact([UInt8])
        /// Nil where nothing has been written.
        case contiguous(address: UInt64?)
        /// The index's root, nil where nothing has been written, and a chunk's shape.
        case chunked(index: UInt64?, chunk: [Int])
    }

    static let nowhere = UInt64.max

    let type: StoredType
    let shape: [Int]
    let layout: Layout
    let filters: [Int]

    init(_ header: ObjectHeader, _ path: String) throws(HDF5Error) {
        guard let space = header.first(ObjectHeader.dataspace), let type = header.first(ObjectHeader.datatype),
            let layout = header.first(ObjectHeader.layout)
        else { throw HDF5Error(path: path, "is neither group nor dataset") }
        self.type = try StoredType(type, path)
        shape = try StoredType.shape(space, path)
        self.layout = try Self.layout(layout, rank: shape.count, path)
        filters =
            try header.first(ObjectHeader.pipeline).map { (body) throws(HDF5Error) in try Self.filters(body, path) }
            ?? []
    }

    private static func layout(_ body: ArraySlice<UInt8>, rank: Int, _ path: String) throws(HDF5Error) -> Layout {
        var cursor = Cursor(body, path)
        guard try cursor.u8() == 3 else { throw HDF5Error(path: path, "has a layout of an unknown version") }
        func known(_ address: UInt64) -> UInt64? { address == nowhere ? nil : address }
        switch try cursor.u8() {
        case 0: return .compact(Array(try cursor.take(try cursor.u16())))
        case 1: return .contiguous(address: known(try cursor.u64()))
        case 2:
            guard Int(try cursor.u8()) == rank + 1 else { throw HDF5Error(path: path, "has chunks of another rank") }
            let index = known(try cursor.u64())
            var chunk: [Int] = []
            for _ in 0..<rank { chunk.append(Int(try cursor.u32())) }
            return .chunked(index: index, chunk: chunk)
        default: throw HDF5Error(path: path, "has an unknown layout")
        }
    }

    /// The identifiers of the filters, in the order of writing.
    private static func filters(_ body: ArraySlice<UInt8>, _ path: String) throws(HDF5Error) -> [Int] {
        var cursor = Cursor(body, path)
        let version = try cursor.u8()
        let count = Int(try cursor.u8())
        guard version == 1 || version == 2, count <= 32 else { throw HDF5Error(path: path, "has unknown filters") }
        if version == 1 { try cursor.skip(6) }
        var filters: [Int] = []
        for _ in 0..<count {
            let identifier = try cursor.u16()
            let name = version == 1 || identifier >= 256 ? try cursor.u16() : 0
            try cursor.skip(2)
            let values = try cursor.u16()
            try cursor.skip(version == 1 ? (name + 7) / 8 * 8 : name)
            try cursor.skip(4 * (version == 1 ? values + values % 2 : values))
            filters.append(identifier)
        }
        return filters
    }
}
