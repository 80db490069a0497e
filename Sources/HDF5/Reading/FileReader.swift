import Synchronization

/// A shard's HDF5 opened for reading, by code of our own: libhdf5 was not made for files that mean harm, and its lock
/// would serve one reader at a time. It knows what `earliest` files without variable-length types consist of
/// (schemas/shard.md, "Structure"); every address, size and count is checked against the file before it is used.
package final class FileReader: Sendable {
    package let path: String
    private let file: FileBytes
    private let root: ObjectHeader
    private let groups: [String: [String]]
    private let headers: [String: UInt64]
    private let indexes = Mutex<[String: ChunkIndex]>([:])

    package convenience init(opening path: String) throws(HDF5Error) { try self.init(FileBytes(path)) }

    package init(_ file: FileBytes) throws(HDF5Error) {
        path = file.path
        let address = try Self.rootHeader(file)
        root = try ObjectHeader(file, at: address)
        var walk = Walk(file: file)
        try walk.enter(root, "/", depth: 0)
        (self.file, groups, headers) = (file, walk.groups, walk.headers)
    }

    /// The address of the root group's header.
    private static func rootHeader(_ file: FileBytes) throws(HDF5Error) -> UInt64 {
        guard file.size >= 96 else { throw HDF5Error(path: file.path, "is not a readable HDF5 file") }
        let bytes = try file.read(0, 96)
        guard bytes.prefix(8) == [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A] else {
            throw HDF5Error(path: file.path, "is not a readable HDF5 file")
        }
        guard bytes[8] == 0, bytes[13] == 8, bytes[14] == 8, bytes[24..<32].allSatisfy({ $0 == 0 }) else {
            throw HDF5Error(path: file.path, "was not written in the earliest HDF5 format, which shards need")
        }
        var cursor = Cursor(bytes[64..<72], file.path)
        return try cursor.u64()
    }

    /// Finds all objects below the root.
    private struct Walk {
        let file: FileBytes
        var groups: [String: [String]] = [:]
        var headers: [String: UInt64] = [:]

        mutating func enter(_ header: ObjectHeader, _ name: String, depth: Int) throws(HDF5Error) {
            guard let table = header.first(ObjectHeader.symbolTable) else { return }
            guard depth < 4 else { throw HDF5Error(path: file.path, "has groups within groups without end") }
            let members = try StoredGroup(table, file).members
            groups[name] = members.map(\.name).sorted()
            for member in members {
                let path = (name == "/" ? "/" : name + "/") + member.name
                headers[path] = member.header
                guard headers.count <= 1024 else { throw HDF5Error(path: file.path, "has too many objects") }
                // What cannot be understood is an error when it is asked for, not before.
                guard let child = try? ObjectHeader(file, at: member.header) else { continue }
                try enter(child, path, depth: depth + 1)
            }
        }
    }

    /// The shape of a dataset.
    package func shape<Element: HDF5Element>(
        _ name: String, of type: Element.Type, rank: Int
    ) throws(HDF5Error) -> [Int] { try dataset(name, type, rank: rank).shape }

    package func exists(_ name: String) -> Bool { headers[name] != nil }

    /// The names of a group's members, sorted.
    package func members(of group: String) throws(HDF5Error) -> [String] {
        guard let members = groups[group] else { throw HDF5Error(path: path, object: group, "is missing") }
        return members
    }

    /// All of a dataset.
    package func read<Element: HDF5Element>(
        _ name: String, of type: Element.Type, rank: Int
    ) throws(HDF5Error) -> (values: [Element], shape: [Int]) {
        let dataset = try dataset(name, type, rank: rank)
        let count = dataset.shape.reduce(1, *)
        return (try values(dataset, 0..<count, name), dataset.shape)
    }

    /// Some neighboring elements of a dataset of one dimension.
    package func read<Element: HDF5Element>(
        _ name: String, range: Range<Int>, of type: Element.Type
    ) throws(HDF5Error) -> [Element] {
        let dataset = try dataset(name, type, rank: 1)
        guard range.lowerBound >= 0, range.upperBound <= dataset.shape[0] else {
            throw HDF5Error(path: path, object: name, "does not reach from \(range.lowerBound) to \(range.upperBound)")
        }
        return try values(dataset, range, name)
    }

    /// Some neighboring rows of a dataset of two dimensions.
    package func read<Element: HDF5Element>(
        _ name: String, rows: Range<Int>, of type: Element.Type
    ) throws(HDF5Error) -> (values: [Element], width: Int) {
        let dataset = try dataset(name, type, rank: 2)
        guard rows.lowerBound >= 0, rows.upperBound <= dataset.shape[0] else {
            throw HDF5Error(path: path, object: name, "does not reach from \(rows.lowerBound) to \(rows.upperBound)")
        }
        let width = dataset.shape[1]
        return (try values(dataset, rows.lowerBound * width..<rows.upperBound * width, name), width)
    }

    /// Elements of a dataset in one piece; `range` lies within it.
    private func values<Element: HDF5Element>(
        _ dataset: StoredDataset, _ range: Range<Int>, _ name: String
    ) throws(HDF5Error) -> [Element] {
        guard !range.isEmpty else { return [] }
        let width = MemoryLayout<Element>.stride
        let (start, size) = (range.lowerBound * width, range.count * width)
        switch dataset.layout {
        case .compact(let bytes):
            guard start + size <= bytes.count else {
                throw HDF5Error(path: path, object: name, "is shorter than its shape")
            }
            return [Element](unsafeUninitializedCapacity: range.count) { buffer, initialized in
                UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes[start..<start + size])
                initialized = range.count
            }
        case .contiguous(let address?):
            let (from, overflow) = address.addingReportingOverflow(UInt64(start))
            // Before memory is taken for it.
            guard !overflow, file.holds(from, UInt64(size)) else {
                throw HDF5Error(path: path, object: name, "points beyond the file's end: it is damaged or truncated")
            }
            var failure: HDF5Error?
            let values = [Element](unsafeUninitializedCapacity: range.count) { buffer, initialized in
                do throws(HDF5Error) {
                    try file.fill(UnsafeMutableRawBufferPointer(buffer), from: from)
                    initialized = range.count
                } catch { failure = error }
            }
            if let failure { throw failure }
            return values
        case .contiguous, .chunked:
            throw HDF5Error(path: path, object: name, "is not stored in one piece")
        }
    }

    /// Rows of a dataset of one chunk per row; see ``ChunkReader``.
    package func chunks<Element: HDF5Element>(
        _ name: String, of type: Element.Type, rank: Int
    ) throws(HDF5Error) -> ChunkReader<Element> {
        let dataset = try dataset(name, type, rank: rank)
        guard case .chunked(let root, let chunk) = dataset.layout, chunk.first == 1,
            chunk.dropFirst() == dataset.shape.dropFirst()
        else { throw HDF5Error(path: path, object: name, "is not stored with one chunk per row") }
        let index: ChunkIndex
        if let known = indexes.withLock({ $0[name] }) {
            index = known
        } else {
            guard let root else { throw HDF5Error(path: path, object: name, "has no chunks") }
            index = try ChunkIndex(dataset, root: root, file)
            indexes.withLock { $0[name] = index }
        }
        return try ChunkReader(file: file, name: name, shape: dataset.shape, filters: dataset.filters, index: index)
    }

    /// Some rows, in the order asked for.
    package func readChunks<Element: HDF5Element>(
        _ name: String, rows: [Int], of type: Element.Type, rank: Int
    ) throws(HDF5Error) -> (values: [[Element]], shape: [Int]) {
        let chunks = try chunks(name, of: type, rank: rank)
        return (try chunks.rows(rows), chunks.shape)
    }

    /// A text attribute of the file's root; nil where there is none.
    package func attribute(_ name: String) throws(HDF5Error) -> String? {
        for message in root.messages where message.type == ObjectHeader.attribute {
            guard let attribute = try StoredAttribute(message.body, path), attribute.name == name else { continue }
            guard case .text = attribute.type, attribute.shape.allSatisfy({ $0 == 1 }) else {
                throw HDF5Error(path: path, object: name, "the attribute is not a short fixed text")
            }
            return String(decoding: attribute.value.prefix { $0 != 0 }, as: UTF8.self)
        }
        return nil
    }

    private func dataset<Element: HDF5Element>(
        _ name: String, _ type: Element.Type, rank: Int
    ) throws(HDF5Error) -> StoredDataset {
        guard let header = headers[name] else { throw HDF5Error(path: path, object: name, "is missing") }
        let dataset = try StoredDataset(ObjectHeader(file, at: header), path)
        guard dataset.type == Element.stored else {
            throw HDF5Error(path: path, object: name, "does not hold \(Element.self) values")
        }
        guard dataset.shape.count == rank else {
            throw HDF5Error(path: path, object: name, "does not have \(rank) dimensions")
        }
        var bytes = MemoryLayout<Element>.stride
        for dimension in dataset.shape {
            // An empty dimension must not hide that the others are impossible.
            let (product, overflow) = bytes.multipliedReportingOverflow(by: max(dimension, 1))
            guard !overflow, product <= 1 << 44 else {
                throw HDF5Error(path: path, object: name, "claims the impossible shape \(dataset.shape)")
            }
            bytes = product
        }
        return dataset
    }
}
