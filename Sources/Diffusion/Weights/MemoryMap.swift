import DiskAccess
import Foundation
import Glibc

/// A file mapped for reading. Immutable, and unmapped when the last tensor that borrows from it is gone.
final class MemoryMap: @unchecked Sendable {
    let base: UnsafeRawPointer
    let count: Int

    init(_ url: URL) throws(ModelError) {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ModelFile.problem(DiskError("cannot be opened", url.path), at: url) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw ModelError(.malformedFile, at: url.path, String(cString: strerror(errno)))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ModelError(.malformedFile, at: url.path, "is not a plain file")
        }
        count = Int(status.st_size)
        guard count > 0 else {
            throw ModelError(
                .malformedFile, at: url.path, "is empty: its download or copy was not finished; fetch it again")
        }
        guard let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
            throw ModelError(
                .malformedFile, at: url.path, "cannot be mapped into memory: \(String(cString: strerror(errno)))")
        }
        base = UnsafeRawPointer(mapped)
    }

    /// The first bytes, for a look at what kind of file this is.
    var head: Data { Data(bytes: base, count: min(count, 512)) }

    /// Lets the pages that were read leave the process; a later read brings them back from the file.
    func release() {
        madvise(UnsafeMutableRawPointer(mutating: base), count, MADV_DONTNEED)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: base), count) }
}
