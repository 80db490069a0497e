import Disk
import Foundation

/// Says that a process uses the corpus in a way that no name or run tells yet: what was written since the lease began is
/// not collected. It ends with the process.
///
/// A lease is a file in `leases/`, named as unfinished writes are. One of another host counts for thirty days after it
/// was last renewed, since nobody here can tell whether its process lives.
package final class Lease: Sendable {
    private let file: URL

    init(in corpus: Corpus) throws(CorpusError) {
        file = corpus.leasesFolder.appending(path: corpus.files.temporaryURL().lastPathComponent)
        try corpus.files.write(Data("{}\n".utf8), to: file)
    }

    deinit { unlink(file.path) }

    /// Tells other hosts that the process still lives.
    package func renew() { utimes(file.path, nil) }
}

extension Corpus {
    var leasesFolder: URL { folder.appending(path: "leases") }

    /// Keeps `gc` from what this process is about to refer to, for as long as the lease lives.
    package func lease() throws(CorpusError) -> Lease { try Lease(in: self) }

    /// File times are those of the kernel's last tick, which may be late on a busy machine, and are rounded on their way
    /// here: what seems a moment older than a lease may be younger.
    private static var leaseMargin: TimeInterval { 1 }

    /// From when on files are protected by the oldest lease of a living process; the leases of dead ones are removed.
    func oldestLease() -> Date? {
        var oldest: Date?
        for url in contents(of: leasesFolder, ending: "") {
            guard let values = try? url.resourceValues(forKeys: [.creationDateKey, .contentModificationDateKey]),
                let renewed = values.contentModificationDate
            else { continue }
            switch AtomicFiles.owner(of: url.lastPathComponent) {
            case .dead:
                unlink(url.path)
                continue
            case .unknown where renewed < Date(timeIntervalSinceNow: -30 * 86_400): continue
            case .alive, .unknown: break
            }
            let began = min(values.creationDate ?? renewed, renewed)
            oldest = min(oldest ?? began, began)
        }
        return oldest?.addingTimeInterval(-Self.leaseMargin)
    }
}
