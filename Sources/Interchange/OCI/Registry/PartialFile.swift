import Corpus
import Disk
import Foundation
import NIOCore

import struct Crypto.SHA256

/// A file that grows at its end, with the SHA-256 of all that it holds.
final class PartialFile {
    private let file: DiskFile
    private var hash = SHA256()
    private(set) var count = 0

    /// - Parameter limit: a longer file is not a part of the blob and starts anew.
    init(_ url: URL, limit: Int) throws(AttemptError) {
        file = try Self.explained { () throws(DiskError) in try DiskFile(url.path, .extend) }
        try takeUp()
        if count > limit { try restart() }
    }

    /// Counts and hashes what an earlier process has left.
    private func takeUp() throws(AttemptError) {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        while true {
            let got = try Self.explained { () throws(DiskError) in try file.read(block, at: UInt64(count)) }
            if got == 0 { return }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: block[..<got]))
            count += got
        }
    }

    func restart() throws(AttemptError) {
        try Self.explained { () throws(DiskError) in try file.empty() }
        (hash, count) = (SHA256(), 0)
    }

    func append(_ buffer: ByteBuffer) throws(AttemptError) {
        let data = Data(buffer.readableBytesView)
        try Self.explained { () throws(DiskError) in try file.write(data) }
        hash.update(data: data)
        count += data.count
    }

    private static func explained<R: ~Copyable>(_ body: () throws(DiskError) -> R) throws(AttemptError) -> R {
        do throws(DiskError) { return try body() } catch {
            throw .final(.io, error.path, error.message + (error.code == ENOSPC ? ": check the free space" : ""))
        }
    }

    func finish() -> Digest { Digest(hash) }
}
