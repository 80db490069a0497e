import DiskAccess
import Foundation

/// Whether the process that made an unfinished write, or a lease, is still at work.
///
/// Such a file is named `live-<host>-<boot>-…` and is locked for as long as it is in use. The lock is the proof: the
/// kernel lets go of it when the process ends, and knows it in every container, where a process number means nothing.
/// Where several hosts share the file system, their locks may not reach each other, so only files of this boot of this
/// host are judged by their lock.
package enum Owner: Sendable, Equatable {
    case alive, dead
    /// It runs on another host, or the name is none of ours. Versions up to 0.1 named files `<process>-<host>-…` and
    /// locked nothing: where no process has that number here, it may still live in another container.
    case unknown
}

extension AtomicFiles {
    private static let mark = "live"

    /// This host's name, without the separator.
    package static var host: String { Surroundings.current.host }

    /// A new name in tmp/.
    static func temporaryName() -> String {
        let here = Surroundings.current
        return "\(mark)-\(here.host)-\(here.boot)-\(UUID().uuidString)"
    }

    /// - Parameter isShared: whether other hosts may be using the file system.
    static func isOurs(_ name: String, isShared: Bool) -> Bool {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count > 3, parts[0] == mark else { return false }
        let here = Surroundings.current
        return !isShared || (parts[1] == here.host && parts[2] == here.boot)
    }

    /// What is known of a file's maker.
    ///
    /// - Parameter remove: whether a dead one's file is to go.
    static func owner(of file: URL, isShared: Bool, remove: Bool = false) throws(CorpusError) -> Owner {
        let isOurs = isOurs(file.lastPathComponent, isShared: isShared)
        return try reported { () throws(DiskError) in
            switch try Disk.holder(of: file.path, remove: remove && isOurs) {
            case .alive: return .alive
            case .none: if isOurs { return .dead }
            case .unknown: break
            }
            if try isOld(file) { return .alive }
            // A download that a later process may continue has its lock beside it.
            let isDownloaded = try Disk.holder(of: file.path + lockEnding) == .alive
            return isDownloaded ? .alive : .unknown
        }
    }

    /// Whether a file may be that of a living process of a version up to 0.1. Their files last for seconds, and their
    /// leases are renewed with each epoch: after thirty days the number is another process's.
    private static func isOld(_ file: URL) throws(DiskError) -> Bool {
        let parts = file.lastPathComponent.split(separator: "-")
        guard parts.count > 2, parts[1] == host, let process = Int32(parts[0]) else { return false }
        guard kill(process, 0) == 0 || errno == EPERM, let status = try Disk.status(file.path) else { return false }
        return Double(status.changed) / 1e9 > Date(timeIntervalSinceNow: -30 * 86_400).timeIntervalSince1970
    }

    /// Of the file beside a temporary one that is locked while that is in use.
    package static let lockEnding = "_lock"

    /// Removes what dead processes have left behind. What cannot be looked at stays: sweeping is not what anybody came for.
    package func sweep() {
        let isShared = FileSystem.isShared(temporaryFolder)
        do throws(DiskError) {
            for name in try Disk.listIfPresent(temporaryFolder.path) ?? [] where Self.isOurs(name, isShared: isShared) {
                _ = try Disk.holder(of: temporaryFolder.appending(path: name).path, remove: true)
            }
        } catch {}
    }
}
