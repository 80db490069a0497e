/// Reads rows of a dataset of one chunk per row, from any number of threads.
package struct ChunkReader<Element: HDF5Element>: Sendable {
    package let shape: [Int]
    private let file: FileBytes
    private let name: String
    private let index: ChunkIndex
    /// Which filters the chunks have passed, unless their masks say otherwise.
    private let (isCompressed, isShuffled): (Bool, Bool)

    /// A chunk larger than this is refused instead of believed.
    private static var largest: Int { 1 << 26 }

    init(file: FileBytes, name: String, shape: [Int], filters: [Int], index: ChunkIndex) throws(HDF5Error) {
        (self.file, self.name, self.shape, self.index) = (file, name, shape, index)
        switch filters {
        case []: (isCompressed, isShuffled) = (false, false)
        case [Int(ZstdFilter.identifier)]: (isCompressed, isShuffled) = (true, false)
        case [ChunkCodec.shuffleFilter, Int(ZstdFilter.identifier)]
        where MemoryLayout<Element>.stride == BytePlanes.count:
            (isCompressed, isShuffled) = (true, true)
        default: throw HDF5Error(path: file.path, object: name, "uses filters that shards do not have: \(filters)")
        }
        guard shape.dropFirst().reduce(MemoryLayout<Element>.stride, *) <= Self.largest else {
            throw HDF5Error(path: file.path, object: name, "claims rows of the impossible shape \(shape.dropFirst())")
        }
    }

    /// Elements per row.
    package var count: Int { shape.dropFirst().reduce(1, *) }

    package func rows(_ rows: [Int]) throws(HDF5Error) -> [[Element]] {
        var values: [[Element]] = []
        values.reserveCapacity(rows.count)
        for row in rows { values.append(try self.row(row)) }
        return values
    }

    package func row(_ row: Int) throws(HDF5Error) -> [Element] {
        var failure: HDF5Error?
        let count = count
        let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(HDF5Error) {
                try read(row, into: buffer)
                initialized = count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return values
    }

    /// - Parameters:
    ///   - row: an index along the first dimension.
    ///   - buffer: as many elements as a row has.
    package func read(_ row: Int, into buffer: UnsafeMutableBufferPointer<Element>) throws(HDF5Error) {
        guard index.places.indices.contains(row) else {
            throw HDF5Error(path: file.path, object: name, "has no row \(row) among its \(shape[0])")
        }
        let place = index.places[row]
        let target = UnsafeMutableRawBufferPointer(
            start: buffer.baseAddress, count: count * MemoryLayout<Element>.stride)
        let isShuffled = isShuffled && place.skipped & 1 == 0
        let isCompressed = isCompressed && place.skipped & (self.isShuffled ? 2 : 1) == 0
        guard place.address != StoredDataset.nowhere, place.size > 0, Int(place.size) <= target.count + 4096 else {
            throw HDF5Error(path: file.path, object: name, "row \(row) has no usable chunk")
        }
        if !isCompressed && !isShuffled {
            guard Int(place.size) == target.count else { throw damage(row) }
            return try file.fill(target, from: place.address)
        }
        let isWhole = try ScratchPool.shared.with { (scratch) throws(HDF5Error) in
            let stored = scratch.stored.bytes(Int(place.size))
            try file.fill(stored, from: place.address)
            return ChunkCodec.decode(
                UnsafeRawBufferPointer(stored), isCompressed: isCompressed, isShuffled: isShuffled, scratch,
                into: target)
        }
        guard isWhole else { throw damage(row) }
    }

    private func damage(_ row: Int) -> HDF5Error {
        HDF5Error(path: file.path, object: name, "row \(row) is damaged")
    }
}
