import CSync
package import Foundation

import Glibc

/// An open file. Transfers continue after a short one and after a signal; a read that fails is tried once more.
package struct DiskFile: ~Copyable, Sendable {
    package let path: String
    private let descriptor: Int32

    /// How a file is opened.
    package enum Mode: Sendable {
        case read
        /// It must not exist.
        case create
        /// It must exist; writes go to its end.
        case append
        /// It is made where it is missing, and emptied where it is not.
        case replace
        /// It is made where it is missing; it can be read, and writes go to its end.
        case extend
        /// It must not exist. It is locked from the start for as long as it is open, also after a rename, so that
        /// others can tell that its writer lives. Fails with EWOULDBLOCK where somebody else was faster to look at it:
        /// take another name.
        case reserve

        fileprivate var mayCreate: Bool {
            switch self {
            case .create, .replace, .extend, .reserve: true
            case .read, .append: false
            }
        }
    }

    package init(_ path: String, _ mode: Mode) throws(DiskError) {
        let opened = try Self.open(path, mode)
        self.path = path
        descriptor = opened
    }

    private static func open(_ path: String, _ mode: Mode) throws(DiskError) -> Int32 {
        let what = mode.mayCreate ? "cannot be created" : "cannot be opened"
        if case .error(let code) = Faults.next(mode.mayCreate ? .create : .open, path) {
            throw DiskError(what, path, code)
        }
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .create: O_WRONLY | O_CREAT | O_EXCL
            case .append: O_WRONLY | O_APPEND
            case .replace: O_WRONLY | O_CREAT | O_TRUNC
            case .extend: O_RDWR | O_CREAT | O_APPEND
            // Over NFS, a lock of one's own needs a file that may be written.
            case .reserve: O_RDWR | O_CREAT | O_EXCL
            }
        let descriptor = openFile(path, flags | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError(what, path) }
        if case .reserve = mode, !reserve(descriptor, path) {
            close(descriptor)
            throw DiskError(what, path, EWOULDBLOCK)
        }
        return descriptor
    }

    deinit { _ = close(descriptor) }

    /// What the kernel knows of the file.
    package func status() throws(DiskError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw DiskError("cannot be examined", path) }
        return status
    }

    /// Writes all bytes.
    package func write(_ bytes: some ContiguousBytes) throws(DiskError) {
        var failure: DiskError?
        bytes.withUnsafeBytes { bytes in
            do throws(DiskError) { try write(raw: bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Turns writing past the page cache on or off; bytes, their addresses in memory and in the file must then be whole
    /// pages.
    ///
    /// - Returns: whether the file system can.
    package func bypassCache(_ isOn: Bool) -> Bool { ck_bypass_cache(descriptor, isOn ? 1 : 0) == 0 }

    private func write(raw bytes: UnsafeRawBufferPointer) throws(DiskError) {
        var done = 0
        var hasFailed = false
        while done < bytes.count, let base = bytes.baseAddress {
            let rest = bytes.count - done
            var count = rest
            let descriptor = descriptor
            let fault = Faults.next(.write, path) { _ = transfer(descriptor, base + done, rest / 2) }
            if case .error(let code) = fault {
                // A disk that fills up takes what fits.
                _ = transfer(descriptor, base + done, rest / 2)
                throw DiskError("cannot be written", path, code)
            }
            if fault == .short { count = max(rest / 2 - 1, 1) }
            let written = transfer(descriptor, base + done, count)
            guard written >= 0 else {
                if errno == EINTR { continue }
                // Past the page cache, some file systems want other sizes, as after a short write.
                if errno == EINVAL, !hasFailed, bypassCache(false) {
                    hasFailed = true
                    continue
                }
                throw DiskError("cannot be written", path)
            }
            done += written
        }
    }

    /// Reads as much as there is at an offset, up to the buffer's size.
    ///
    /// - Returns: the number of bytes read; less than asked for only at the file's end.
    package func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(DiskError) -> Int {
        var done = 0
        var hasFailed = false
        while done < buffer.count, let base = buffer.baseAddress {
            var count = buffer.count - done
            let fault = Faults.next(.read, path)
            if fault == .short { count = max(count / 2 - 1, 1) }
            var got = -1
            if case .error(let code) = fault {
                errno = code
            } else {
                got = pread(descriptor, base + done, count, off_t(offset) + off_t(done))
            }
            if got == 0 { break }
            if got > 0 {
                done += got
                continue
            }
            if errno == EINTR { continue }
            // A first read that fails may be a disk that wakes up; a second that fails is reported.
            guard errno == EIO, !hasFailed else { throw DiskError("cannot be read", path) }
            hasFailed = true
        }
        return done
    }

    /// Removes all that was written.
    package func empty() throws(DiskError) {
        if case .error(let code) = Faults.next(.write, path) { throw DiskError("cannot be emptied", path, code) }
        guard ftruncate(descriptor, 0) == 0 else { throw DiskError("cannot be emptied", path) }
    }

    /// Waits until what was written is on the disk. A sync that fails is not tried again: the kernel may have dropped
    /// what it could not write.
    package func sync() throws(DiskError) {
        if case .error(let code) = Faults.next(.sync, path) { throw DiskError("cannot be synced to disk", path, code) }
        let status = fsync(descriptor)
        guard status == 0 else { throw DiskError("cannot be synced to disk", path) }
    }

    /// Waits until everything on the file's file system is on its disk.
    package func syncFileSystem() throws(DiskError) {
        if case .error(let code) = Faults.next(.sync, path) { throw DiskError("cannot be synced to disk", path, code) }
        guard ck_sync_file_system(descriptor) == 0 else { throw DiskError("cannot be synced to disk", path) }
    }
}

/// Locks a new file. False where somebody has looked at it, and perhaps removed it, before it was locked.
private func reserve(_ descriptor: Int32, _ path: String) -> Bool {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
        if errno == EWOULDBLOCK {
            unlink(path)
            return false
        }
        // A file system without locks: then nobody can take the file for abandoned either.
        guard errno == EINTR else { return true }
    }
    return isNamed(descriptor, path)
}

/// Whether a path still leads to an open file.
func isNamed(_ descriptor: Int32, _ path: String) -> Bool {
    var (open, named) = (stat(), stat())
    return fstat(descriptor, &open) == 0 && stat(path, &named) == 0 && open.st_ino == named.st_ino
        && open.st_dev == named.st_dev
}

private func transfer(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

private func openFile(_ path: String, _ flags: Int32) -> Int32 { open(path, flags, 0o666) }
