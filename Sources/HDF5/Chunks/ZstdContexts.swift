import CZstd

/// Compresses planes of bytes, on one thread.
final class ZstdCompressor {
    /// Looks for repetitions.
    private let thorough = ZSTD_createCCtx()
    /// Does nothing but Huffman codes.
    private let entropyOnly = ZSTD_createCCtx()

    init() {
        // Exponents repeat by chance only: to look for it takes time and hides them from the Huffman code, which is
        // what makes them small.
        for context in [thorough, entropyOnly] {
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(ZstdFilter.level))
            ZSTD_CCtx_setParameter(context, ZSTD_c_minMatch, 7)
            ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, 6)
        }
        // How far the fast strategy steps ahead is its target length. With it zstd leaves literals as they are unless
        // it is told to code them, by a parameter that a later version may not have; then repetitions are looked for.
        if ZSTD_isError(ZSTD_CCtx_setParameter(entropyOnly, ck_zstd_literal_coding(), ck_zstd_enabled())) == 0 {
            ZSTD_CCtx_setParameter(entropyOnly, ZSTD_c_strategy, Int32(ZSTD_fast.rawValue))
            ZSTD_CCtx_setParameter(entropyOnly, ZSTD_c_targetLength, Int32(ZstdFrame.largestBlock))
        }
    }

    deinit {
        ZSTD_freeCCtx(thorough)
        ZSTD_freeCCtx(entropyOnly)
    }

    /// The most bytes that a frame of so many takes.
    static func bound(_ count: Int) -> Int { ZSTD_compressBound(count) + 64 }

    /// A frame of one plane whose values repeat by chance only.
    ///
    /// - Returns: the frame's size; nil where `output` is too small or there is no memory.
    func compress(_ plane: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) -> Int? {
        guard let entropyOnly else { return nil }
        let size = ZSTD_compress2(entropyOnly, output.baseAddress, output.count, plane.baseAddress, plane.count)
        return ZSTD_isError(size) == 0 ? size : nil
    }

    /// A frame of all planes, each in blocks of its own so that it has its own codes.
    ///
    /// - Returns: as ``compress(_:into:)``.
    func compress(_ planes: BytePlanes, into output: UnsafeMutableRawBufferPointer) -> Int? {
        guard let thorough else { return nil }
        ZSTD_CCtx_reset(thorough, ZSTD_reset_session_only)
        ZSTD_CCtx_setPledgedSrcSize(thorough, UInt64(BytePlanes.count * planes[0].count))
        var output = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        for index in 0..<BytePlanes.count {
            var input = ZSTD_inBuffer(src: planes[index].baseAddress, size: planes[index].count, pos: 0)
            let directive = index < BytePlanes.count - 1 ? ZSTD_e_flush : ZSTD_e_end
            let left = ZSTD_compressStream2(thorough, &output, &input, directive)
            guard left == 0, input.pos == input.size else { return nil }
        }
        return output.pos
    }
}

/// Decompresses frames, on one thread.
final class ZstdDecompressor {
    private let context = ZSTD_createDCtx()

    deinit { ZSTD_freeDCtx(context) }

    /// - Returns: whether the frame is complete and fills `target`.
    func decompress(_ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
        guard let context else { return false }
        let size = ZSTD_decompressDCtx(context, target.baseAddress, target.count, frame.baseAddress, frame.count)
        return ZSTD_isError(size) == 0 && size == target.count
    }
}
