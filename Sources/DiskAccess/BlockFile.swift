/// A new file that is written front to back in large aligned blocks, past the page cache where its file system allows:
/// what is synced at once anyway need not be copied into fresh pages first, nor drive out what others read.
package struct BlockFile: ~Copyable {
    private let file: DiskFile
    private let block: UnsafeMutableRawBufferPointer
    private var filled = 0
    private var isDirect: Bool

    /// A page, and a multiple of what any disk wants.
    private static let alignment = 4096
    private static let blockSize = 1 << 20
    /// Smaller files are not worth a wait for the disk.
    private static let leastDirect = 4 << 20

    /// - Parameters:
    ///   - path: of the new file.
    ///   - mode: ``DiskFile/Mode/create`` or ``DiskFile/Mode/reserve``.
    ///   - size: about how many bytes there will be.
    package init(_ path: String, _ mode: DiskFile.Mode = .create, expecting size: Int) throws(DiskError) {
        file = try DiskFile(path, mode)
        isDirect = size >= Self.leastDirect && file.bypassCache(true)
        block = .allocate(byteCount: Self.blockSize, alignment: Self.alignment)
    }

    deinit { block.deallocate() }

    /// Adds bytes at the end.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = min(rest.count, block.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: block[filled..<filled + count]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
            filled += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            if filled == block.count { try flush() }
        }
    }

    /// Writes what is left and waits until the file is on the disk.
    package mutating func finish() throws(DiskError) {
        try flush()
        try file.sync()
    }

    private mutating func flush() throws(DiskError) {
        // The last block is not a multiple of anything.
        if isDirect, filled % Self.alignment != 0 { isDirect = !file.bypassCache(false) }
        try file.write(UnsafeRawBufferPointer(rebasing: block[..<filled]))
        filled = 0
    }
}
