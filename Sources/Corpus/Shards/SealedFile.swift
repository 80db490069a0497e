import HDF5
import Foundation

/// A sealed HDF5 file of a corpus, opened once its bytes match its name: libhdf5 never sees bytes that nobody vouches for.
struct SealedFile: ~Copyable {
    let digest: Digest
    let path: String
    /// What the root attribute `format` says.
    let format: String
    let file: FileReader

    init(_ url: URL, digest: Digest) throws(CorpusError) {
        guard let bytes = try? Data(contentsOf: url, options: .alwaysMapped) else {
            throw CorpusError(.notFound, url.path, "the shard cannot be read")
        }
        guard Digest(of: bytes) == digest else {
            throw CorpusError(.damaged, url.path, "the shard's bytes do not match its name: restore it from a copy")
        }
        do throws(HDF5Error) {
            let opened = try FileReader(opening: url.path)
            guard let format = try opened.attribute("format") else {
                throw HDF5Error(path: url.path, "is an HDF5 file but not an Attune shard")
            }
            guard let version = try opened.attribute("version").flatMap({ Int($0) }), version <= ShardWriter.version
            else { throw HDF5Error(path: url.path, "has a newer shard format: update attune") }
            (self.digest, path, self.format) = (digest, url.path, format)
            file = opened
        } catch {
            throw CorpusError(damage: error)
        }
    }

    /// Seals what `body` writes, under the SHA-256 of its bytes; nothing is left behind where it fails.
    static func write(
        format: String, to folder: URL, files: AtomicFiles,
        _ body: (borrowing FileWriter) throws(HDF5Error) -> Void
    ) throws(CorpusError) -> Digest {
        let bytes = try bytes(format: format, name: "a new shard for \(folder.path)", body)
        let digest = Digest(of: bytes)
        try files.write(Data(bytes), to: ShardWriter.location(of: digest, in: folder))
        return digest
    }
}

extension SealedFile {
    /// What a file of this format holds when `body` has written it: the same calls give the same bytes.
    ///
    /// - Parameter name: what errors call it.
    static func bytes(
        format: String, name: String, _ body: (borrowing FileWriter) throws(HDF5Error) -> Void
    ) throws(CorpusError) -> [UInt8] {
        do throws(HDF5Error) {
            let file = try FileWriter(name)
            try file.attribute("format", format)
            try file.attribute("version", String(ShardWriter.version))
            try body(file)
            return try file.finish()
        } catch {
            throw CorpusError(.io, error.path, error.message)
        }
    }
}

extension CorpusError {
    /// What libhdf5 found wrong with a sealed file.
    init(damage error: HDF5Error) {
        self.init(.damaged, error.path, error.object.isEmpty ? error.message : "\(error.object) \(error.message)")
    }
}
