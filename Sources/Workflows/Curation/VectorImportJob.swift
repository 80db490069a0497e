import Codecs
package import CorpusStore
import DiskAccess
package import Foundation

/// What `attune annotate --vectors` does: takes feature vectors from elsewhere into a corpus, by sample id.
package struct VectorImportJob: Sendable {
    /// A .npz file: `id` and `vector` as the Python package writes them, or `ids` and `features` as attune features does.
    package let file: URL
    /// What made the vectors; nil for what the file says.
    package var name: String?

    package init(file: URL) { self.file = file }

    /// - Returns: how many vectors, of how many numbers, and under which name and revision.
    /// - Throws: ``Failure`` for a file that is none; ``CorpusError`` for samples that are not there, values that are no
    ///   numbers, and another width than before. Nothing is stored then.
    package func run(in corpus: Corpus) throws -> (vectors: Int, width: Int, name: String, revision: Int) {
        let set = try read()
        let revision = try corpus.add(set, from: file.lastPathComponent)
        return (set.samples.count, set.width, set.name, revision)
    }

    private func read() throws -> VectorSet {
        let path = file.path
        do {
            let archive = try NumPyArchive(Disk.read(path))
            guard let key = ["vector", "features"].first(where: archive.keys.contains) else {
                throw CodecError("has no array vector or features; it has \(archive.keys.joined(separator: ", "))")
            }
            let vectors = try archive.array(key)
            let samples = try Self.samples(archive)
            guard vectors.shape.count == 2, vectors.shape[0] == samples.count, let values = vectors.floats else {
                throw CodecError(
                    "has \(samples.count) ids for vectors of the shape \(vectors.shape), which must be [ids, d]")
            }
            return try VectorSet(
                name: try name ?? Self.name(archive), width: vectors.shape[1], samples: samples, values: .floats(values)
            )
        } catch let error as CodecError {
            throw Failure("\(path): \(error.description)")
        }
    }

    private static func samples(_ archive: NumPyArchive) throws(CodecError) -> [Digest] {
        if archive.keys.contains("id") {
            let ids = try archive.array("id")
            guard ids.element == .unsigned(bytes: 1), ids.shape.count == 2, ids.shape[1] == 32, let bytes = ids.floats
            else {
                throw CodecError("has an array id of the shape \(ids.shape); it must be uint8 [n, 32]")
            }
            return (0..<ids.shape[0]).map { row in Digest(raw: bytes[row * 32..<row * 32 + 32].map { UInt8($0) }) }
        }
        guard archive.keys.contains("ids"), let texts = try archive.array("ids").texts else {
            throw CodecError(
                "has no sample ids (id or ids): make it with attune features --corpus, or attune.add_vectors")
        }
        var samples: [Digest] = []
        for text in texts {
            guard let sample = Digest(hex: text) else { throw CodecError("'\(text.prefix(80))' is not a sample's id") }
            samples.append(sample)
        }
        return samples
    }

    /// What the file says that made them.
    private static func name(_ archive: NumPyArchive) throws(CodecError) -> String {
        for key in ["name", "encoder"] where archive.keys.contains(key) {
            // `clip sha256:…` of attune features.
            if let text = try archive.array(key).texts?.first?.split(separator: " ").first { return String(text) }
        }
        throw CodecError("does not say what made its vectors: give a name with --scorer")
    }
}
