import CorpusStore
import DiskAccess
import Foundation
import Hashing
import Synchronization

/// A file that grows at its end, with the SHA-256 of all that it holds.
final class PartialFile: Sendable {
    private struct State {
        var hash = SHA256()
        var count = 0
    }

    private let file: DiskFile
    private let state = Mutex(State())

    /// - Parameter limit: a longer file is not a part of the blob and starts over.
    init(_ url: URL, limit: Int) throws(AttemptError) {
        file = try Self.explained { () throws(DiskError) in try DiskFile(url.path, .extend) }
        try takeUp()
        if count > limit { try restart() }
    }

    var count: Int { state.withLock { $0.count } }

    var digest: Digest { state.withLock { Digest($0.hash) } }

    /// Counts and hashes what an earlier process has left.
    private func takeUp() throws(AttemptError) {
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        while true {
            let got = try Self.explained { () throws(DiskError) in try file.read(block, at: UInt64(count)) }
            if got == 0 { return }
            note(UnsafeRawBufferPointer(rebasing: block[..<got]))
        }
    }

    private func note(_ bytes: UnsafeRawBufferPointer) {
        state.withLock {
            $0.hash.update(bufferPointer: bytes)
            $0.count += bytes.count
        }
    }

    func restart() throws(AttemptError) {
        try Self.explained { () throws(DiskError) in try file.empty() }
        state.withLock { $0 = State() }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(AttemptError) {
        try Self.explained { () throws(DiskError) in try file.write(bytes) }
        note(bytes)
    }

    private static func explained<R: ~Copyable>(_ body: () throws(DiskError) -> R) throws(AttemptError) -> R {
        do throws(DiskError) { return try body() } catch {
            throw .final(.io, error.path, error.message + (error.code == ENOSPC ? ": check the free space" : ""))
        }
    }
}
