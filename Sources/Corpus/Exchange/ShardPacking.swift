import HDF5
package import Foundation

extension ShardWriter {
    /// Seals records as a shard in a file of the caller's, outside any corpus: the same records give the same bytes.
    ///
    /// - Returns: the file's SHA-256, and its size.
    package static func pack(_ records: [SampleRecord], into file: URL) throws(CorpusError) -> (Digest, size: Int) {
        do {
            try writeFile(records, to: file.path)
        } catch {
            try? FileManager.default.removeItem(at: file)
            throw CorpusError(.io, error.path, error.message)
        }
        guard let bytes = try? Data(contentsOf: file, options: .alwaysMapped) else {
            throw CorpusError(.io, file.path, "cannot be read back")
        }
        return (Digest(of: bytes), bytes.count)
    }
}
