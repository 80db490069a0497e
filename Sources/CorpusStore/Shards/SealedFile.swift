import DiskAccess
import HDF5
import Foundation
import Hashing

/// A sealed HDF5 file of a corpus, opened once its bytes match its name.
///
/// The bytes are hashed when a file is first met. Where the catalogue holds the stamp of a file whose bytes have been
/// hashed, and the file still has it, they are not hashed again; ``Corpus/verify(_:progress:)`` always hashes.
struct SealedFile: Sendable {
    let digest: Digest
    let path: String
    /// What the root attribute `format` says.
    let format: String
    let file: FileReader
    let stamp: FileStamp

    /// - Parameter known: the stamp that the file had when its bytes were hashed.
    init(_ url: URL, digest: Digest, known: FileStamp? = nil) throws(CorpusError) {
        let bytes: FileBytes
        do throws(HDF5Error) { bytes = try FileBytes(url.path) } catch { throw CorpusError(unreadable: error) }
        if bytes.stamp != known {
            guard try Self.digest(of: bytes) == digest else {
                throw CorpusError(
                    .damaged, url.path,
                    "the shard's bytes do not match its name: restore it with `attune verify --repair --from` a copy")
            }
        }
        do throws(HDF5Error) {
            let opened = try FileReader(bytes)
            guard let format = try opened.attribute("format") else {
                throw HDF5Error(path: url.path, "is an HDF5 file but not an Attune shard")
            }
            let newest = format == ScoreShard.format ? ScoreShard.version : ShardWriter.version
            guard let version = try opened.attribute("version").flatMap({ Int($0) }), version <= newest else {
                throw HDF5Error(path: url.path, "has a newer shard format: update attune")
            }
            (self.digest, path, self.format) = (digest, url.path, format)
            (file, stamp) = (opened, bytes.stamp)
        } catch {
            throw CorpusError(damage: error)
        }
    }

    static func digest(of file: FileBytes) throws(CorpusError) -> Digest {
        var hash = SHA256()
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { block.deallocate() }
        do throws(HDF5Error) {
            var position: UInt64 = 0
            while position < file.size {
                let part = UnsafeMutableRawBufferPointer(rebasing: block[..<Int(min(1 << 20, file.size - position))])
                try file.fill(part, from: position)
                hash.update(bufferPointer: UnsafeRawBufferPointer(part))
                position += UInt64(part.count)
            }
        } catch {
            throw CorpusError(unreadable: error)
        }
        return Digest(hash)
    }

    /// What a file of this format holds when `body` has written it: the same calls give the same bytes.
    static func encoded(
        format: String, version: Int, _ body: (borrowing FileWriter) throws(HDF5Error) -> Void
    ) throws(CorpusError) -> FileContents {
        do throws(HDF5Error) {
            let file = try FileWriter("a new shard")
            try file.attribute("format", format)
            try file.attribute("version", String(version))
            try body(file)
            return try file.finish()
        } catch {
            throw CorpusError(.io, error.path, error.message)
        }
    }

    /// Seals a file under the SHA-256 of its bytes.
    static func write(_ contents: FileContents, to folder: URL, files: AtomicFiles) throws(CorpusError) -> Digest {
        try files.make(expecting: contents.size) { (file) throws(DiskError) in
            var hash = SHA256()
            try contents.forEachPiece { (piece) throws(DiskError) in
                hash.update(bufferPointer: piece)
                try file.append(piece)
            }
            let digest = Digest(hash)
            return (digest, ShardWriter.location(of: digest, in: folder))
        }
    }
}

extension CorpusError {
    /// Why a sealed file, or what a checkpoint or adapter is in, cannot be read. Only ENOENT says that it is not there, and
    /// ESTALE of an open one; what else the operating system refuses says nothing about the bytes.
    init(unreadable error: HDF5Error) {
        let code: Code = error.code == 0 ? .damaged : DiskError.isGone(error.code) ? .notFound : .io
        self.init(code, error.path, error.message)
    }

    /// What is wrong with the structure of a sealed file.
    init(damage error: HDF5Error) {
        guard error.code == 0 else {
            self.init(unreadable: error)
            return
        }
        self.init(.damaged, error.path, error.object.isEmpty ? error.message : "\(error.object) \(error.message)")
    }
}
