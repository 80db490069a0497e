import CHDF5
import Foundation

/// A new HDF5 file, handed out by ``finish()`` as a ``FileContents``.
///
/// The same calls give the same bytes: object times are off, property lists are fixed, and the format's version bounds
/// are the widest that readers understand. libhdf5 never writes to disk itself: it does not survive a disk that is full
/// (1.10 crashes when the process ends). It only lays the file out; data stay where they are until the file is written.
///
/// ```swift
/// let file = try FileWriter("values")
/// try file.write("/values", [1, 2, 3, 4] as [Float], shape: [2, 2])
/// let contents = try file.finish()
/// try Data(contents.bytes).write(to: URL(fileURLWithPath: "values.h5"))
/// let (values, shape) = try FileReader(opening: "values.h5").read("/values", of: Float.self, rank: 2)
/// ```
package struct FileWriter: ~Copyable {
    /// What errors call the file.
    package let path: String
    private let gathered: GatheredFile
    private let file: OpenFile

    /// - Parameter name: what errors call the file.
    package init(_ name: String) throws(HDF5Error) {
        path = name
        let gathered = GatheredFile()
        file = try Library.run { () throws(HDF5Error) -> sending OpenFile in
            let access = Handle(H5Pcreate(ck_h5_file_access()), H5Pclose)
            H5Pset_libver_bounds(access.id, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110)
            let creation = Handle(H5Pcreate(ck_h5_file_create()), H5Pclose)
            H5Pset_obj_track_times(creation.id, false)
            guard GatherDriver.use(for: gathered, in: access),
                let file = OpenFile(H5Fcreate(name, ck_h5_truncate(), creation.id, access.id))
            else { throw HDF5Error(path: name, "cannot be built") }
            return file
        }
        self.gathered = gathered
    }

    package func group(_ name: String) throws(HDF5Error) {
        let id = file.id
        try Library.run { () throws(HDF5Error) -> Void in
            let creation = Handle(H5Pcreate(ck_h5_group_create()), H5Pclose)
            H5Pset_obj_track_times(creation.id, false)
            let group = Handle(H5Gcreate2(id, name, 0, creation.id, 0), H5Gclose)
            guard group.isValid else { throw HDF5Error(path: path, object: name, "cannot be created") }
        }
    }

    /// A dataset in one piece.
    package func write<Element: HDF5Element>(
        _ name: String, _ values: [Element], shape: [Int]
    ) throws(HDF5Error) {
        try write(name, pieces: [values], shape: shape, of: Element.self)
    }

    /// A dataset in one piece, whose bytes are those of some sources end to end.
    package func write<Element: HDF5Element>(
        _ name: String, pieces: [any ByteSource], shape: [Int], of type: Element.Type
    ) throws(HDF5Error) {
        let count = pieces.reduce(0) { $0 + $1.byteCount }
        precondition(
            shape.reduce(MemoryLayout<Element>.stride, *) == count, "\(count) bytes for the shape \(shape)")
        let id = file.id
        try Library.run { () throws(HDF5Error) -> Void in
            let creation = datasetCreation()
            H5Pset_alloc_time(creation.id, H5D_ALLOC_TIME_EARLY)
            let dataset = try make(id, name, Element.hdf5Type, shape, creation.id)
            guard count > 0 else { return }
            guard let address = Int(exactly: H5Dget_offset(dataset.id)) else {
                throw HDF5Error(path: path, object: name, "has no place in the file")
            }
            gathered.place(pieces, at: address)
        }
    }

    /// One chunk as it is in the file.
    package struct Chunk: Sendable {
        package let bytes: any ByteSource
        /// Split into byte planes and compressed; false where that did not pay and the bytes are stored as they are.
        package let isCompressed: Bool

        package init(bytes: any ByteSource, isCompressed: Bool) {
            (self.bytes, self.isCompressed) = (bytes, isCompressed)
        }
    }

    /// A dataset of one chunk per row, each compressed by the caller: compression runs in many threads outside the
    /// library's lock.
    ///
    /// - Parameters:
    ///   - name: the dataset's.
    ///   - chunks: one for each row, in order.
    ///   - shape: the first dimension counts rows, one chunk each.
    ///   - type: of the elements.
    package func write<Element: HDF5Element>(
        _ name: String, chunks: [Chunk], shape: [Int], of type: Element.Type
    ) throws(HDF5Error) {
        precondition(shape.first == chunks.count, "\(chunks.count) chunks for the shape \(shape)")
        let id = file.id
        try Library.run { () throws(HDF5Error) -> Void in
            let creation = datasetCreation()
            var chunkShape = [1] + shape.dropFirst().map { hsize_t(max($0, 1)) }
            H5Pset_chunk(creation.id, Int32(chunkShape.count), &chunkShape)
            H5Pset_shuffle(creation.id)
            var level = ZstdFilter.level
            H5Pset_filter(creation.id, ZstdFilter.identifier, UInt32(H5Z_FLAG_OPTIONAL), 1, &level)
            let dataset = try make(id, name, Element.hdf5Type, shape, creation.id)
            for (row, chunk) in chunks.enumerated() {
                var offset = [hsize_t](repeating: 0, count: shape.count)
                offset[0] = hsize_t(row)
                var status: herr_t = -1
                gathered.expected = chunk.bytes
                chunk.bytes.withBytes { bytes in
                    status = H5Dwrite_chunk(
                        dataset.id, 0, chunk.isCompressed ? 0 : 3, &offset, bytes.count, bytes.baseAddress)
                }
                guard status >= 0 else {
                    throw HDF5Error(path: path, object: name, "cannot be written: is there memory?")
                }
            }
        }
    }

    /// A text attribute of the file's root.
    package func attribute(_ name: String, _ text: String) throws(HDF5Error) {
        let id = file.id
        try Library.run { () throws(HDF5Error) -> Void in
            let type = Handle(H5Tcopy(ck_h5_type_c_string()), H5Tclose)
            H5Tset_size(type.id, max(text.utf8.count, 1))
            H5Tset_cset(type.id, H5T_CSET_UTF8)
            let space = Handle(H5Screate(H5S_SCALAR), H5Sclose)
            let attribute = Handle(H5Acreate2(id, name, type.id, space.id, 0, 0), H5Aclose)
            let bytes = Array(text.utf8) + [0]
            guard attribute.isValid, H5Awrite(attribute.id, type.id, bytes) >= 0 else {
                throw HDF5Error(path: path, object: name, "the attribute cannot be written")
            }
        }
    }

    /// The file, which refers to what was written.
    package consuming func finish() throws(HDF5Error) -> FileContents {
        let (path, gathered) = (path, gathered)
        guard file.close() else { throw HDF5Error(path: path, "cannot be built") }
        return gathered.contents
    }

    private func datasetCreation() -> Handle {
        let creation = Handle(H5Pcreate(ck_h5_dataset_create()), H5Pclose)
        H5Pset_obj_track_times(creation.id, false)
        return creation
    }

    private func make(
        _ file: hid_t, _ name: String, _ type: hid_t, _ shape: [Int], _ creation: hid_t
    ) throws(HDF5Error) -> Handle {
        var dimensions = shape.map { hsize_t($0) }
        let space = Handle(H5Screate_simple(Int32(shape.count), &dimensions, nil), H5Sclose)
        let dataset = Handle(H5Dcreate2(file, name, type, space.id, 0, creation, 0), H5Dclose)
        guard dataset.isValid else { throw HDF5Error(path: path, object: name, "cannot be created") }
        return dataset
    }
}
