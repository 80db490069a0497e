import CZstd

/// Zstandard frames that state their content's size.
package enum Zstd {
    /// One frame.
    package static func compress(_ bytes: UnsafeRawBufferPointer, level: Int32 = 3) throws(CodecError) -> [UInt8] {
        let bound = ZSTD_compressBound(bytes.count)
        var size = 0
        let frame = [UInt8](unsafeUninitializedCapacity: bound) { buffer, initialized in
            size = ZSTD_compress(buffer.baseAddress, bound, bytes.baseAddress, bytes.count, level)
            initialized = ZSTD_isError(size) == 0 ? size : 0
        }
        guard ZSTD_isError(size) == 0 else {
            throw CodecError("zstd could not compress: \(String(cString: ZSTD_getErrorName(size)))")
        }
        return frame
    }

    /// - Parameters:
    ///   - frame: one compressed frame.
    ///   - limit: the most bytes that the content may have.
    package static func decompress(_ frame: [UInt8], limit: Int) throws(CodecError) -> [UInt8] {
        let claimed = ZSTD_getFrameContentSize(frame, frame.count)
        guard claimed <= UInt64(limit) else { throw CodecError("not a zstd frame of at most \(limit) bytes") }
        var size = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(claimed)) { buffer, initialized in
            size = ZSTD_decompress(buffer.baseAddress, buffer.count, frame, frame.count)
            initialized = ZSTD_isError(size) == 0 ? size : 0
        }
        guard ZSTD_isError(size) == 0, UInt64(size) == claimed else { throw CodecError("a damaged zstd frame") }
        return bytes
    }
}
