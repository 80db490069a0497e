#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The bytes of an open file. Reads are positioned, so any number of threads share one; a page that the disk cannot
/// deliver is an error here, where a memory map would end the process.
package final class FileBytes: Sendable {
    package let path: String
    package let size: UInt64
    package let stamp: FileStamp
    private let descriptor: Int32

    package init(_ path: String) throws(HDF5Error) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw HDF5Error(path: path, "cannot be opened: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw HDF5Error(path: path, "is not a file")
        }
        size = UInt64(status.st_size)
        stamp = FileStamp(status)
    }

    deinit { close(descriptor) }

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

    /// Fills a buffer whole, or throws.
    package func fill(_ buffer: UnsafeMutableRawBufferPointer, from address: UInt64) throws(HDF5Error) {
        guard holds(address, UInt64(buffer.count)) else {
            throw HDF5Error(path: path, "points beyond its end: it is damaged or truncated")
        }
        var done = 0
        var retries = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let got = pread(descriptor, base + done, buffer.count - done, off_t(address) + off_t(done))
            if got > 0 {
                done += got
                continue
            }
            guard got < 0 else { throw HDF5Error(path: path, "became shorter while it was read") }
            // A first read that fails may be a disk that wakes up; a second that fails is reported.
            guard errno == EINTR || (errno == EIO && retries == 0) else {
                throw HDF5Error(path: path, "cannot be read: \(String(cString: strerror(errno)))")
            }
            if errno == EIO { retries += 1 }
        }
    }
}
