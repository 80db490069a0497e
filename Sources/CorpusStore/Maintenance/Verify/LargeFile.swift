import Foundation
import HDF5

/// A file named by its bytes that is worth a thread of its own.
struct LargeFile: Sendable {
    let kind: Damage.Kind
    let url: URL
    /// What its SHA-256 must be; nil for a name that is none.
    let digest: Digest?
    let size: Int64
    let changed: Date

    /// - Throws: ``CorpusError`` where the file cannot be looked at.
    init(_ kind: Damage.Kind, _ url: URL, _ digest: Digest?, in corpus: Corpus) throws(CorpusError) {
        (self.kind, self.url, self.digest) = (kind, url, digest)
        let stamp = try corpus.stamp(url)
        size = stamp?.size ?? 0
        changed = Date(timeIntervalSince1970: Double(stamp?.changed ?? 0) / 1e9)
    }

    /// Reads all of it; nil when it is intact.
    func damage(in corpus: Corpus) -> Damage? {
        do throws(CorpusError) {
            guard let digest else { throw CorpusError(.damaged, url.path, "is not named by a SHA-256: remove it") }
            if kind == .shard { try check(shard: digest, in: corpus) } else { try check(digest) }
            return nil
        } catch {
            return Damage(kind, error, digest: digest)
        }
    }

    private func check(shard digest: Digest, in corpus: Corpus) throws(CorpusError) {
        if case .samples(let shard) = try SealedContents(corpus.sealed(digest)) { try shard.verify() }
    }

    private func check(_ digest: Digest) throws(CorpusError) {
        let file: FileBytes
        do throws(HDF5Error) { file = try FileBytes(url.path) } catch { throw CorpusError(unreadable: error) }
        guard try SealedFile.digest(of: file) == digest else {
            throw CorpusError(
                .damaged, url.path,
                kind == .checkpoint
                    ? "the checkpoint's bytes do not match its name: the run resumes from an earlier one"
                    : "the adapter's bytes do not match the run's log: train again from the last checkpoint")
        }
    }
}
