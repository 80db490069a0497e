import Foundation

extension Disk {
    /// Copies a file's bytes into a new one.
    ///
    /// - Parameters:
    ///   - source: the path of the file.
    ///   - destination: the path of the copy.
    ///   - seen: given the bytes of the copy, in order, as they are written.
    package static func copy(
        _ source: String, to destination: String, seen: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws(DiskError) {
        let copy = try DiskFile(destination, .create)
        try self.copy(source, into: copy, seen: seen)
    }

    /// Copies a file's bytes to the end of an open one.
    package static func copy(
        _ source: String, into copy: borrowing DiskFile, seen: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws(DiskError) {
        let original = try DiskFile(source, .read)
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        var position: UInt64 = 0
        while true {
            let count = try original.read(block, at: position)
            guard count > 0 else { return }
            let part = UnsafeRawBufferPointer(rebasing: block[..<count])
            try copy.write(part)
            seen(part)
            position += UInt64(count)
        }
    }
}
