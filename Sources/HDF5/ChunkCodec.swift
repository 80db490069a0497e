import CKernels
import CZstd

/// How the bytes of a chunk are made small: the four bytes of each number go to four planes (HDF5's shuffle filter), and
/// each plane is a zstd block of its own. The exponents' plane shrinks; the mantissas' are stored as they are, at the
/// speed of a copy.
package enum ChunkCodec: Sendable {
    case raw, zstd

    static let shuffleFilter = 2

    /// - Parameters:
    ///   - bytes: 4-byte numbers.
    ///   - slab: takes the frame; where there is no room left, another one is put in its place.
    /// - Returns: nil where nothing is won.
    package static func encode(_ bytes: UnsafeRawBufferPointer, into slab: inout Slab) -> Slab.Part? {
        let scratch = ScratchPool.shared.take()
        defer { ScratchPool.shared.give(scratch) }
        let count = bytes.count / 4
        guard count > 0, bytes.count % 4 == 0, let source = bytes.bindMemory(to: UInt8.self).baseAddress,
            let context = scratch.compressor
        else { return nil }
        let planes = scratch.plain(bytes.count)
        guard let base = planes.bindMemory(to: UInt8.self).baseAddress else { return nil }
        ck_split_bytes(source, base, count)
        ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(ZstdFilter.level))
        // Exponents repeat by chance only: to look for it takes twice as long and hides them from the Huffman code, which
        // is what makes them small.
        ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, 7)
        ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, 6)
        ZSTD_CCtx_setPledgedSrcSize(context, UInt64(bytes.count))
        let capacity = ZSTD_compressBound(bytes.count) + 64
        if slab.room < capacity { slab = Slab(atLeast: capacity) }
        return slab.append { buffer in
            var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            for plane in 0..<4 {
                var input = ZSTD_inBuffer(src: base + plane * count, size: count, pos: 0)
                let left = ZSTD_compressStream2(context, &output, &input, plane < 3 ? ZSTD_e_flush : ZSTD_e_end)
                guard left == 0, input.pos == count else { return nil }
            }
            return output.pos < bytes.count ? output.pos : nil
        }
    }

    /// - Returns: whether `target` was filled whole.
    static func decode(
        _ stored: UnsafeRawBufferPointer, isCompressed: Bool, isShuffled: Bool, width: Int,
        scratch: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard !isShuffled || width == 4 else { return false }
        var planes = stored
        if isCompressed {
            let pool = ScratchPool.shared.take()
            defer { ScratchPool.shared.give(pool) }
            let plain = isShuffled ? scratch : target
            let size = ZSTD_decompressDCtx(
                pool.decompressor, plain.baseAddress, target.count, stored.baseAddress, stored.count)
            guard size == target.count else { return false }
            planes = UnsafeRawBufferPointer(plain)
        }
        guard planes.count == target.count else { return false }
        guard isShuffled else {
            if !isCompressed { target.copyMemory(from: planes) }
            return true
        }
        guard let from = planes.bindMemory(to: UInt8.self).baseAddress,
            let to = target.bindMemory(to: UInt8.self).baseAddress
        else { return target.isEmpty }
        ck_join_bytes(from, to, target.count / 4)
        return true
    }

    /// Two buffers that outlive the call, so that reading takes no memory.
    static func withScratch<R, E: Error>(
        _ stored: Int, _ plain: Int,
        _ body: (UnsafeMutableRawBufferPointer, UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        let scratch = ScratchPool.shared.take()
        defer { ScratchPool.shared.give(scratch) }
        return try body(scratch.stored(stored), scratch.plain(plain))
    }
}
