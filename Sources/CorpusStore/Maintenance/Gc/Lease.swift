import DiskAccess
import Foundation

/// Says that a process uses the corpus in a way that no name or run tells yet: what was written since the lease began is
/// not collected. It ends with the process.
///
/// A lease is a file in `leases/`, named as unfinished writes are with the time of its beginning at the end, and locked
/// as they are for as long as it holds. One whose process nobody here can ask about counts for thirty days after it was
/// last renewed.
package final class Lease: Sendable {
    private let url: URL
    private let file: TemporaryFile

    init(in corpus: Corpus) throws(CorpusError) {
        let file = try corpus.files.temporaryFile()
        self.file = file
        url = try reported { () throws(DiskError) in
            try file.file.write(Data("{}\n".utf8))
            // By the clock of the file system, as the times of all files.
            let began = try file.file.status().changed
            let url = corpus.leasesFolder.appending(path: "\(file.url.lastPathComponent)-\(began)")
            try Disk.makeFolder(corpus.leasesFolder.path)
            try Disk.rename(file.url.path, to: url.path)
            try Disk.syncFolder(corpus.leasesFolder.path)
            return url
        }
    }

    /// While the file is still locked.
    deinit { unlink(url.path) }

    /// Tells other hosts that the process still lives.
    package func renew() { utimes(url.path, nil) }
}

extension Corpus {
    var leasesFolder: URL { folder.appending(path: "leases") }

    /// Keeps `gc` from what this process is about to refer to, for as long as the lease lives.
    package func lease() throws(CorpusError) -> Lease { try Lease(in: self) }

    /// File times are those of the kernel's last tick, which may be late on a busy machine, and are rounded on their way
    /// here: what seems a moment older than a lease may be younger.
    private static var leaseMargin: TimeInterval { 1 }
    private static var leaseDays: TimeInterval { 30 }

    /// From when on files are protected by the oldest lease of a process that may live.
    ///
    /// - Parameter removing: whether the leases of dead ones go.
    func oldestLease(removing: Bool) throws(CorpusError) -> Date? {
        var oldest: Date?
        for url in try contents(of: leasesFolder, ending: "") {
            guard let status = try reported({ () throws(DiskError) in try Disk.status(url.path) }) else { continue }
            let renewed = Date(timeIntervalSince1970: Double(status.st_mtim.tv_sec))
            switch try AtomicFiles.owner(of: url, isShared: isShared, remove: removing) {
            case .dead: continue
            case .unknown where renewed < Date(timeIntervalSinceNow: -Self.leaseDays * 86_400): continue
            case .alive, .unknown: break
            }
            let began = try Self.begin(of: url) ?? renewed
            oldest = min(oldest ?? began, began)
        }
        return oldest?.addingTimeInterval(-Self.leaseMargin)
    }

    private static func begin(of lease: URL) throws(CorpusError) -> Date? {
        let name = lease.lastPathComponent
        if name.hasPrefix("live-"), let time = name.split(separator: "-").last.flatMap({ Int64($0) }) {
            return Date(timeIntervalSince1970: Double(time) / 1e9)
        }
        // Of versions up to 0.1. Where the file system does not know, the renewal is all that there is.
        do {
            let values = try lease.resourceValues(forKeys: [.creationDateKey, .contentModificationDateKey])
            return [values.creationDate, values.contentModificationDate].compactMap(\.self).min()
        } catch {
            if Disk.isSurelyAbsent(lease.path) { return nil }
            // A lease that began earlier than is thought would protect too little.
            throw CorpusError(.io, lease.path, "cannot be examined: \(error.localizedDescription)")
        }
    }
}
