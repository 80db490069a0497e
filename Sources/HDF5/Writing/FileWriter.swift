import CHDF5
import Foundation

/// A new HDF5 file, built in memory and handed out as bytes by ``finish()``.
///
/// The same calls give the same bytes: object times are off, property lists are fixed, and the format's version bounds
/// are the widest that readers understand. libhdf5 never writes to disk itself: it does not survive a disk that is full
/// (1.10 crashes when the process ends), and the caller wants the bytes' digest before they have a name anyway.
package struct FileWriter: ~Copyable {
    /// What errors call the file.
    package let path: String
    private let file: OpenFile

    /// - Parameters:
    ///   - name: what errors call the file.
    ///   - capacity: about how many bytes there will be; memory grows by so much at a time.
    package init(_ name: String, capacity: Int = 1 << 20) throws(HDF5Error) {
        path = name
        file = try Library.run { () throws(HDF5Error) -> sending OpenFile in
            let access = Handle(H5Pcreate(ck_h5_file_access()), H5Pclose)
            H5Pset_libver_bounds(access.id, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110)
            H5Pset_fapl_core(access.id, max(capacity, 1 << 16), false)
            let creation = Handle(H5Pcreate(ck_h5_file_create()), H5Pclose)
            H5Pset_obj_track_times(creation.id, false)
            // Nothing backs the file, but libhdf5 takes two open files of one name for the same.
            let unique = "\(UUID())"
            guard let file = OpenFile(H5Fcreate(unique, ck_h5_truncate(), creation.id, access.id)) else {
                throw HDF5Error(path: name, "cannot be built")
            }
            return file
        }
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
        precondition(shape.reduce(1, *) == values.count, "\(values.count) values for the shape \(shape)")
        let id = file.id
        try Library.run { () throws(HDF5Error) -> Void in
            let creation = datasetCreation()
            let dataset = try make(id, name, Element.hdf5Type, shape, creation.id)
            guard !values.isEmpty else { return }
            let status = values.withUnsafeBytes {
                H5Dwrite(dataset.id, Element.hdf5Type, 0, 0, 0, $0.baseAddress)
            }
            guard status >= 0 else { throw HDF5Error(path: path, object: name, "cannot be written: is there memory?") }
        }
    }

    /// One chunk as it lies in the file.
    package struct Chunk: Sendable {
        package let bytes: [UInt8]
        /// Split into byte planes and compressed; false where that did not pay and the bytes are stored as they are.
        package let isCompressed: Bool

        package init(bytes: [UInt8], isCompressed: Bool) { (self.bytes, self.isCompressed) = (bytes, isCompressed) }
    }

    /// A dataset of one chunk a row, each compressed by the caller: compression runs in many threads outside the
    /// library's lock.
    ///
    /// - Parameter shape: the first dimension counts rows, one chunk each.
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
                let status = H5Dwrite_chunk(
                    dataset.id, 0, chunk.isCompressed ? 0 : 3, &offset, chunk.bytes.count, chunk.bytes)
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

    /// The file's bytes.
    package consuming func finish() throws(HDF5Error) -> [UInt8] {
        let path = path
        let id = file.id
        return try Library.run { () throws(HDF5Error) -> sending [UInt8] in
            guard H5Fflush(id, H5F_SCOPE_GLOBAL) >= 0 else { throw HDF5Error(path: path, "cannot be built") }
            let size = H5Fget_file_image(id, nil, 0)
            guard size > 0 else { throw HDF5Error(path: path, "cannot be built") }
            var written = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
                written = H5Fget_file_image(id, buffer.baseAddress, size)
                initialized = max(written, 0)
            }
            guard written == size else { throw HDF5Error(path: path, "cannot be built") }
            return bytes
        }
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
