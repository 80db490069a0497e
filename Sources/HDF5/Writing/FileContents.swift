/// A finished HDF5 file that has no place yet: libhdf5's own bytes, and the data that lie between them where their
/// owners keep them.
package struct FileContents: Sendable {
    /// In bytes.
    package let size: Int
    /// By where they begin; nothing overlaps, and what no extent covers is zero.
    private let extents: [Extent]

    /// Bytes of the file that lie end to end.
    struct Extent: Sendable {
        let start: Int
        let sources: [any ByteSource]

        init(start: Int, sources: [any ByteSource]) { (self.start, self.sources) = (start, sources) }

        var end: Int { sources.reduce(start) { $0 + $1.byteCount } }
    }

    /// - Parameter extents: in the order of the file.
    init(size: Int, extents: [Extent]) { (self.size, self.extents) = (size, extents) }

    /// The file from its first byte to its last, in pieces of any length.
    package func forEachPiece<E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> Void) throws(E) {
        var position = 0
        for extent in extents {
            try Self.zeros(extent.start - position, body)
            position = extent.start
            for source in extent.sources {
                try source.withBytes(body)
                position += source.byteCount
            }
        }
        try Self.zeros(size - position, body)
    }

    /// The whole file at once.
    package var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            initialized = 0
            forEachPiece { piece in
                UnsafeMutableRawBufferPointer(buffer)[initialized...].copyBytes(from: piece)
                initialized += piece.count
            }
        }
    }

    private static func zeros<E: Error>(
        _ count: Int, _ body: (UnsafeRawBufferPointer) throws(E) -> Void
    ) throws(E) {
        if count > 0 { try [UInt8](repeating: 0, count: count).withBytes(body) }
    }
}
