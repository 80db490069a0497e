import CHDF5
import CZstd

/// An HDF5 file opened for reading. Types, sizes and shapes are checked before anything is read.
///
/// libhdf5 can crash on files made to crash it: verify the digest of a file from elsewhere before opening it.
package struct FileReader: ~Copyable, Sendable {
    package let path: String
    private let file: OpenFile

    package init(opening path: String) throws(HDF5Error) {
        self.path = path
        file = try Library.run { () throws(HDF5Error) -> sending OpenFile in
            guard let file = OpenFile(H5Fopen(path, ck_h5_read_only(), 0)) else {
                throw HDF5Error(path: path, "is not a readable HDF5 file")
            }
            return file
        }
    }

    package func exists(_ name: String) -> Bool {
        let id = file.id
        return Library.run {
            // A path exists when each of its parts does.
            var partial = ""
            for part in name.split(separator: "/") {
                partial += "/\(part)"
                if H5Lexists(id, partial, 0) <= 0 { return false }
            }
            return true
        }
    }

    /// The names of a group's members, sorted.
    package func members(of group: String) throws(HDF5Error) -> [String] {
        let id = file.id
        return try Library.run { () throws(HDF5Error) -> sending [String] in
            var info = H5G_info_t()
            guard H5Gget_info_by_name(id, group, &info, 0) >= 0 else {
                throw HDF5Error(path: path, object: group, "is missing")
            }
            return (0..<info.nlinks).compactMap { index in
                var buffer = [CChar](repeating: 0, count: 256)
                let length = H5Lget_name_by_idx(
                    id, group, H5_INDEX_NAME, H5_ITER_INC, index, &buffer, buffer.count, 0)
                guard length > 0, length < buffer.count else { return nil }
                return String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        }
    }

    /// The whole of a dataset.
    package func read<Element: HDF5Element>(
        _ name: String, of type: Element.Type, rank: Int
    ) throws(HDF5Error) -> (values: [Element], shape: [Int]) {
        let id = file.id
        return try Library.run { () throws(HDF5Error) -> sending (values: [Element], shape: [Int]) in
            let dataset = try open(id, name, type, rank: rank)
            let shape = dataset.shape
            let count = shape.reduce(1, *)
            guard count > 0 else { return ([], shape) }
            var failed = false
            let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
                failed = H5Dread(dataset.handle.id, Element.hdf5Type, 0, 0, 0, buffer.baseAddress) < 0
                initialized = failed ? 0 : count
            }
            if failed { throw HDF5Error(path: path, object: name, "cannot be read: the file is damaged") }
            return (values, shape)
        }
    }

    /// Some neighbouring elements of a dataset of one dimension.
    package func read<Element: HDF5Element>(
        _ name: String, range: Range<Int>, of type: Element.Type
    ) throws(HDF5Error) -> [Element] {
        let id = file.id
        return try Library.run { () throws(HDF5Error) -> sending [Element] in
            let dataset = try open(id, name, type, rank: 1)
            guard range.lowerBound >= 0, range.upperBound <= dataset.shape[0] else {
                throw HDF5Error(
                    path: path, object: name, "does not reach from \(range.lowerBound) to \(range.upperBound)")
            }
            guard !range.isEmpty else { return [] }
            var (start, count) = (hsize_t(range.lowerBound), hsize_t(range.count))
            let whole = Handle(H5Dget_space(dataset.handle.id), H5Sclose)
            let part = Handle(H5Screate_simple(1, &count, nil), H5Sclose)
            var failed = H5Sselect_hyperslab(whole.id, H5S_SELECT_SET, &start, nil, &count, nil) < 0
            let values = [Element](unsafeUninitializedCapacity: range.count) { buffer, initialized in
                failed =
                    failed || H5Dread(dataset.handle.id, Element.hdf5Type, part.id, whole.id, 0, buffer.baseAddress) < 0
                initialized = failed ? 0 : range.count
            }
            if failed { throw HDF5Error(path: path, object: name, "cannot be read: the file is damaged") }
            return values
        }
    }

    /// Rows of a dataset of one chunk a row, decompressed outside the library's lock.
    ///
    /// - Returns: each row's values, in the order asked for.
    package func readChunks<Element: HDF5Element>(
        _ name: String, rows: [Int], of type: Element.Type, rank: Int
    ) throws(HDF5Error) -> (values: [[Element]], shape: [Int]) {
        let id = file.id
        let raw = try Library.run { () throws(HDF5Error) -> sending (chunks: [FileWriter.Chunk], shape: [Int]) in
            let dataset = try open(id, name, type, rank: rank)
            let shape = dataset.shape
            let bytesARow = shape.dropFirst().reduce(MemoryLayout<Element>.stride, *)
            var chunks: [FileWriter.Chunk] = []
            for row in rows {
                guard row >= 0, row < shape[0] else {
                    throw HDF5Error(path: path, object: name, "has no row \(row) among its \(shape[0])")
                }
                var offset = [hsize_t](repeating: 0, count: rank)
                offset[0] = hsize_t(row)
                var size: hsize_t = 0
                guard H5Dget_chunk_storage_size(dataset.handle.id, &offset, &size) >= 0, size > 0,
                    size <= hsize_t(bytesARow) + 4096
                else { throw HDF5Error(path: path, object: name, "row \(row) has no usable chunk") }
                var mask: UInt32 = 0
                var bytes = [UInt8](repeating: 0, count: Int(size))
                guard H5Dread_chunk(dataset.handle.id, 0, &offset, &mask, &bytes) >= 0 else {
                    throw HDF5Error(path: path, object: name, "row \(row) cannot be read: the file is damaged")
                }
                chunks.append(FileWriter.Chunk(bytes: bytes, isCompressed: mask & 1 == 0))
            }
            return (chunks, shape)
        }
        let count = raw.shape.dropFirst().reduce(1, *)
        var values: [[Element]] = []
        for (row, chunk) in zip(rows, raw.chunks) {
            values.append(try unpack(chunk, count: count, of: type, name: name, row: row))
        }
        return (values, raw.shape)
    }

    private func unpack<Element: HDF5Element>(
        _ chunk: FileWriter.Chunk, count: Int, of type: Element.Type, name: String, row: Int
    ) throws(HDF5Error) -> [Element] {
        let bytes = count * MemoryLayout<Element>.stride
        var isWhole = false
        let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            let target = UnsafeMutableRawBufferPointer(buffer)
            if chunk.isCompressed {
                isWhole = ZSTD_decompress(target.baseAddress, bytes, chunk.bytes, chunk.bytes.count) == bytes
            } else if chunk.bytes.count == bytes {
                target.copyBytes(from: chunk.bytes)
                isWhole = true
            }
            initialized = isWhole ? count : 0
        }
        guard isWhole else { throw HDF5Error(path: path, object: name, "row \(row) is damaged") }
        return values
    }

    /// A text attribute of the file's root; nil where there is none.
    package func attribute(_ name: String) throws(HDF5Error) -> String? {
        let id = file.id
        return try Library.run { () throws(HDF5Error) -> sending String? in
            guard H5Aexists(id, name) > 0 else { return nil }
            let attribute = Handle(H5Aopen(id, name, 0), H5Aclose)
            let type = Handle(H5Aget_type(attribute.id), H5Tclose)
            let size = H5Tget_size(type.id)
            guard attribute.isValid, H5Tget_class(type.id) == H5T_STRING, H5Tis_variable_str(type.id) == 0,
                size <= 1 << 20, Int(H5Aget_storage_size(attribute.id)) == size
            else { throw HDF5Error(path: path, object: name, "the attribute is not a short fixed text") }
            var bytes = [UInt8](repeating: 0, count: size)
            guard H5Aread(attribute.id, type.id, &bytes) >= 0 else {
                throw HDF5Error(path: path, object: name, "the attribute cannot be read")
            }
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    private func open<Element: HDF5Element>(
        _ file: hid_t, _ name: String, _ type: Element.Type, rank: Int
    ) throws(HDF5Error) -> OpenDataset {
        let dataset = Handle(H5Dopen2(file, name, 0), H5Dclose)
        guard dataset.isValid else { throw HDF5Error(path: path, object: name, "is missing") }
        let stored = Handle(H5Dget_type(dataset.id), H5Tclose)
        guard H5Tequal(stored.id, Element.hdf5Type) > 0 else {
            throw HDF5Error(path: path, object: name, "does not hold \(Element.self) values")
        }
        let space = Handle(H5Dget_space(dataset.id), H5Sclose)
        guard Int(H5Sget_simple_extent_ndims(space.id)) == rank else {
            throw HDF5Error(path: path, object: name, "does not have \(rank) dimensions")
        }
        var dimensions = [hsize_t](repeating: 0, count: rank)
        H5Sget_simple_extent_dims(space.id, &dimensions, nil)
        var bytes = UInt64(MemoryLayout<Element>.stride)
        for dimension in dimensions {
            let product = bytes.multipliedReportingOverflow(by: dimension)
            guard !product.overflow, product.partialValue <= 1 << 40 else {
                throw HDF5Error(path: path, object: name, "claims the impossible shape \(dimensions)")
            }
            bytes = product.partialValue
        }
        return OpenDataset(handle: dataset, shape: dimensions.map { Int($0) })
    }
}

/// A dataset whose type and rank have been checked.
private struct OpenDataset: ~Copyable {
    let handle: Handle
    let shape: [Int]
}
