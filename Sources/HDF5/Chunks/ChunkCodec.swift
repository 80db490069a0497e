/// How the bytes of a chunk are made small: the four bytes of each number go to four planes (HDF5's shuffle filter),
/// and the planes to blocks of a zstd frame. The exponents' plane shrinks; the mantissas' are stored as they are, and
/// neither writing nor reading takes them through zstd.
package enum ChunkCodec {
    static let shuffleFilter = 2

    /// - Parameters:
    ///   - bytes: 4-byte numbers.
    ///   - slab: takes the frame; where there is no space left, another one is put in its place.
    /// - Returns: nil where nothing is won.
    package static func encode(_ bytes: UnsafeRawBufferPointer, into slab: inout Slab) -> Slab.Part? {
        guard !bytes.isEmpty, bytes.count % BytePlanes.count == 0, bytes.count <= UInt32.max else { return nil }
        return ScratchPool.shared.with { scratch in
            let planes = BytePlanes(splitting: bytes, into: scratch.plain.bytes(bytes.count))
            let shrinking = planes.shrinking
            guard let first = shrinking.first else { return nil }
            let capacity = ZstdCompressor.bound(bytes.count)
            if slab.capacity < capacity { slab = Slab(atLeast: capacity) }
            return slab.append { buffer in
                // Where several planes shrink, their blocks may refer to each other's codes, which takes zstd to
                // follow.
                let size =
                    shrinking.count == 1
                    ? compose(planes, compressing: first, scratch, into: buffer)
                    : scratch.compressor.compress(planes, into: buffer)
                return size.flatMap { $0 < bytes.count ? $0 : nil }
            }
        }
    }

    /// A frame of blocks that are stored as they are, but for those of one plane.
    private static func compose(
        _ planes: BytePlanes, compressing index: Int, _ scratch: Scratch, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let memory = scratch.frame.bytes(ZstdCompressor.bound(planes[index].count))
        guard let size = scratch.compressor.compress(planes[index], into: memory),
            let compressed = ZstdFrame(UnsafeRawBufferPointer(rebasing: memory[..<size]))
        else { return nil }
        var frame = ZstdFrame.Builder(buffer, contentSize: BytePlanes.count * planes[index].count)
        for plane in 0..<BytePlanes.count {
            if plane == index {
                for block in compressed.blocks { frame.add(block) }
            } else {
                frame.store(planes[plane])
            }
        }
        return frame.finish().count
    }

    /// Reverses a chunk's filters.
    ///
    /// - Returns: whether `target` was filled completely.
    static func decode(
        _ stored: UnsafeRawBufferPointer, isCompressed: Bool, isShuffled: Bool, _ scratch: Scratch,
        into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        if !isShuffled {
            guard !isCompressed else { return scratch.decompressor.decompress(stored, into: target) }
            guard stored.count == target.count else { return false }
            target.copyMemory(from: stored)
            return true
        }
        guard target.count % BytePlanes.count == 0 else { return false }
        guard isCompressed else {
            guard stored.count == target.count else { return false }
            BytePlanes(stored).join(into: target)
            return true
        }
        if let planes = planes(of: stored, scratch, size: target.count / BytePlanes.count) {
            planes.join(into: target)
            return true
        }
        let plain = scratch.plain.bytes(target.count)
        guard scratch.decompressor.decompress(stored, into: plain) else { return false }
        BytePlanes(UnsafeRawBufferPointer(plain)).join(into: target)
        return true
    }

    /// The planes of a frame that has one block for each and has compressed one of them at most: the others are used
    /// where they lie. Nil for other frames.
    private static func planes(of stored: UnsafeRawBufferPointer, _ scratch: Scratch, size: Int) -> BytePlanes? {
        guard let frame = ZstdFrame(stored), frame.contentSize == BytePlanes.count * size,
            frame.blocks.count == BytePlanes.count, frame.blocks.count(where: { $0.kind == .compressed }) <= 1
        else { return nil }
        var planes: [UnsafeRawBufferPointer] = []
        for block in frame.blocks {
            switch block.kind {
            case .raw:
                guard block.size == size else { return nil }
                planes.append(block.bytes)
            case .compressed:
                var alone = ZstdFrame.Builder(
                    scratch.frame.bytes(ZstdFrame.bound(block.size, pieces: 1)), contentSize: size)
                alone.add(block)
                let plain = scratch.plain.bytes(size)
                // A block that refers to the planes before it does not decode without them, and says so.
                guard scratch.decompressor.decompress(alone.finish(), into: plain) else { return nil }
                planes.append(UnsafeRawBufferPointer(plain))
            case .runLength: return nil
            }
        }
        return BytePlanes(planes)
    }
}
