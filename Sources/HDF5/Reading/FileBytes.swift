import DiskAccess

import Glibc

/// The bytes of an open file. Reads are positioned, so any number of threads share one; a page that the disk cannot
/// deliver is an error here, where a memory map would end the process.
package final class FileBytes: Sendable {
    package let path: String
    package let size: UInt64
    package let stamp: FileStamp
    private let file: DiskFile

    package init(_ path: String) throws(HDF5Error) {
        self.path = path
        do throws(DiskError) {
            file = try DiskFile(path, .read)
            let status = try file.status()
            guard status.st_mode & S_IFMT == S_IFREG else { throw DiskError("is not a file", path, 0) }
            size = UInt64(status.st_size)
            stamp = FileStamp(status)
        } catch {
            throw HDF5Error(path: path, error.message, code: error.code)
        }
    }

    /// Whether a range lies within the file.
    func holds(_ address: UInt64, _ count: UInt64) -> Bool { address <= size && count <= size - address }

    func read(_ address: UInt64, _ count: Int) throws(HDF5Error) -> [UInt8] {
        guard count >= 0, holds(address, UInt64(count)) else {
            throw HDF5Error(path: path, "points beyond its end: it is damaged or truncated")
        }
        var failure: HDF5Error?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(HDF5Error) {
                try fill(UnsafeMutableRawBufferPointer(buffer), from: address)
                initialized = count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Fills a buffer completely, or throws.
    package func fill(_ buffer: UnsafeMutableRawBufferPointer, from address: UInt64) throws(HDF5Error) {
        guard holds(address, UInt64(buffer.count)) else {
            throw HDF5Error(path: path, "points beyond its end: it is damaged or truncated")
        }
        let got: Int
        do throws(DiskError) { got = try file.read(buffer, at: address) } catch {
            throw HDF5Error(path: path, error.message, code: error.code)
        }
        guard got == buffer.count else { throw HDF5Error(path: path, "became shorter while it was read") }
    }
}
