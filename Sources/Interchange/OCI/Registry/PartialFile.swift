import Corpus
import struct Crypto.SHA256
import Foundation
import NIOCore

/// A file that grows at its end, with the SHA-256 of all that it holds.
struct PartialFile {
    private let url: URL
    private let handle: FileHandle
    private var hash = SHA256()
    private(set) var count = 0

    /// - Parameter limit: a longer file is not a part of the blob and starts anew.
    init(_ url: URL, limit: Int) throws(AttemptError) {
        self.url = url
        do {
            if !FileManager.default.fileExists(atPath: url.path) {
                guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
                    throw OCIError(.io, url.path, "cannot be created")
                }
            }
            handle = try FileHandle(forUpdating: url)
            while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
                hash.update(data: piece)
                count += piece.count
            }
        } catch {
            throw .final(.io, url.path, "cannot be opened: \(error)")
        }
        if count > limit { try restart() }
    }

    mutating func restart() throws(AttemptError) {
        do {
            try handle.truncate(atOffset: 0)
            try handle.seek(toOffset: 0)
        } catch {
            throw .final(.io, url.path, "cannot be emptied: \(error)")
        }
        (hash, count) = (SHA256(), 0)
    }

    mutating func append(_ buffer: ByteBuffer) throws(AttemptError) {
        let data = Data(buffer.readableBytesView)
        do {
            try handle.write(contentsOf: data)
        } catch {
            throw .final(.io, url.path, "cannot be written (\(error.localizedDescription)): check the free space")
        }
        hash.update(data: data)
        count += data.count
    }

    func finish() -> Digest {
        try? handle.close()
        return Digest(raw: Array(hash.finalize()))
    }
}
