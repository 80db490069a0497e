/// What becomes of a file that libhdf5 builds through ``GatherDriver``: its own small writes, in pages, and the places
/// of the data that it was told to leave where they are.
///
/// In use under the library's lock only.
final class GatheredFile {
    /// The data that the library is about to write: it is kept by reference when it comes.
    var expected: (any ByteSource)?
    /// How far the library has given out addresses, and how far it has written.
    var allocated = 0
    private(set) var written = 0
    private var extents: [FileContents.Extent] = []
    private var pages: [Int: [UInt8]] = [:]

    private static let pageSize = 4096

    /// Keeps sources end to end at an address that the library has given out.
    func place(_ sources: [any ByteSource], at address: Int) {
        let extent = FileContents.Extent(start: address, sources: sources)
        extents.append(extent)
        written = max(written, extent.end)
    }

    /// Takes a write of the library's: by reference where it is what was expected.
    func write(_ bytes: UnsafeRawBufferPointer, at address: Int) {
        if let source = expected, source.byteCount == bytes.count {
            var isExpected = false
            source.withBytes { isExpected = $0.baseAddress == bytes.baseAddress }
            if isExpected {
                expected = nil
                return place([source], at: address)
            }
        }
        forEachPage(address, bytes.count) { page, range, done in
            pages[page, default: [UInt8](repeating: 0, count: Self.pageSize)].withUnsafeMutableBytes {
                $0[range].copyBytes(from: bytes[done..<done + range.count])
            }
        }
        written = max(written, address + bytes.count)
    }

    /// Gives the library what it has written itself; the data it never asks for.
    func read(_ bytes: UnsafeMutableRawBufferPointer, at address: Int) {
        forEachPage(address, bytes.count) { page, range, done in
            let target = UnsafeMutableRawBufferPointer(rebasing: bytes[done..<done + range.count])
            guard let stored = pages[page] else {
                target.initializeMemory(as: UInt8.self, repeating: 0)
                return
            }
            stored.withUnsafeBytes { target.copyBytes(from: $0[range]) }
        }
    }

    private func forEachPage(_ address: Int, _ count: Int, _ body: (Int, Range<Int>, Int) -> Void) {
        var done = 0
        while done < count {
            let (page, start) = (address + done).quotientAndRemainder(dividingBy: Self.pageSize)
            let length = min(Self.pageSize - start, count - done)
            body(page, start..<start + length, done)
            done += length
        }
    }

    /// The file as it is now.
    var contents: FileContents {
        let size = max(allocated, written)
        var all: [FileContents.Extent] = []
        var position = 0
        for extent in extents.sorted(by: { $0.start < $1.start }) {
            all += own(position..<extent.start) + [extent]
            position = extent.end
        }
        return FileContents(size: size, extents: all + own(position..<size))
    }

    /// The library's own bytes between two pieces of data.
    private func own(_ range: Range<Int>) -> [FileContents.Extent] {
        var found: [FileContents.Extent] = []
        guard !range.isEmpty else { return [] }
        for page in range.lowerBound / Self.pageSize...(range.upperBound - 1) / Self.pageSize {
            guard let bytes = pages[page] else { continue }
            let start = page * Self.pageSize
            let part = range.clamped(to: start..<start + Self.pageSize)
            found.append(
                .init(
                    start: part.lowerBound, sources: [Array(bytes[part.lowerBound - start..<part.upperBound - start])]))
        }
        return found
    }
}
