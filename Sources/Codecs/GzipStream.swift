import CZlib

/// Unpacks gzip as it is read: what is held in memory does not grow with what the file claims.
package final class GzipStream {
    private var stream = z_stream()
    private var input: [UInt8] = []
    private var isAtEnd = false
    private let refill: () throws -> [UInt8]

    /// - Parameter refill: gives the next packed bytes; none at the file's end.
    package init(_ refill: @escaping () throws -> [UInt8]) throws(CodecError) {
        self.refill = refill
        guard ck_z_inflate_init(&stream) == Z_OK else { throw CodecError("zlib could not be started") }
    }

    deinit { inflateEnd(&stream) }

    /// Up to `count` bytes; fewer only at the end.
    package func read(_ count: Int) throws -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count, !isAtEnd {
            if stream.avail_in == 0 {
                input = try refill()
                if input.isEmpty { throw CodecError("a gzip file that ends too early") }
            }
            let consumed = input.count - Int(stream.avail_in)
            let start = stream.avail_in == 0 ? 0 : consumed
            let available = input.count - start
            let (code, left, written) = input.withUnsafeMutableBufferPointer { from in
                out.withUnsafeMutableBufferPointer { to in
                    stream.next_in = from.baseAddress.map { $0 + start }
                    stream.avail_in = UInt32(available)
                    stream.next_out = to.baseAddress.map { $0 + done }
                    stream.avail_out = UInt32(count - done)
                    let code = inflate(&stream, Z_NO_FLUSH)
                    return (code, Int(stream.avail_in), count - done - Int(stream.avail_out))
                }
            }
            done += written
            stream.avail_in = UInt32(left)
            if code == Z_STREAM_END {
                // Another member may follow, as parallel packers write them.
                if left == 0 {
                    input = try refill()
                    stream.avail_in = UInt32(input.count)
                }
                if stream.avail_in == 0 { isAtEnd = true } else { inflateReset(&stream) }
            } else if code != Z_OK {
                throw CodecError("a damaged gzip file")
            }
        }
        out.removeLast(count - done)
        return out
    }
}
