import CHDF5
import CZstd

import Glibc

/// HDF5's registered filter 32015: each chunk is one Zstandard frame that states its content's size.
package enum ZstdFilter {
    package static let identifier: Int32 = 32015
    /// More does not make latents smaller: only the Huffman code of their exponents saves anything.
    package static let level: UInt32 = 1
    /// A frame that claims more than this is refused instead of believed.
    static let largestChunk: UInt64 = 1 << 31

    static func register() {
        var filter = H5Z_class2_t()
        filter.version = H5Z_CLASS_T_VERS
        filter.id = identifier
        filter.encoder_present = 1
        filter.decoder_present = 1
        filter.filter = run
        H5Zregister(&filter)
    }

    private static let run: H5Z_func_t = { flags, _, _, size, capacity, buffer in
        guard let buffer, let input = buffer.pointee, let capacity else { return 0 }
        let decoding = flags & UInt32(H5Z_FLAG_REVERSE) != 0
        let bound: Int
        if decoding {
            let claimed = ZSTD_getFrameContentSize(input, size)
            guard claimed < ZstdFilter.largestChunk else { return 0 }
            bound = max(Int(claimed), 1)
        } else {
            bound = ZSTD_compressBound(size)
        }
        guard let output = malloc(bound) else { return 0 }
        let written =
            decoding
            ? ZSTD_decompress(output, bound, input, size)
            : ZSTD_compress(output, bound, input, size, Int32(ZstdFilter.level))
        guard ZSTD_isError(written) == 0 else {
            free(output)
            return 0
        }
        free(input)
        buffer.pointee = output
        capacity.pointee = bound
        return written
    }
}
