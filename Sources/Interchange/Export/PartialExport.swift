import Disk
package import Foundation

/// An export in the making: `.NAME.partial` beside its destination, with a lock and a note of how far it has come.
///
/// A killed export leaves it behind; the same command goes on with it, another one starts it over.
final class PartialExport {
    /// How far an export has come.
    struct Progress: Codable, Equatable {
        /// Parts that are written whole.
        var part = 0
        /// The sample that the next part begins with.
        var next = 0
    }

    private struct Note: Codable {
        var identity: String
        /// Which start of the machine wrote the files: after a crash of all of it, some may be empty.
        var boot: String
        var progress: Progress
    }

    /// Where the export's files go.
    let folder: URL
    private(set) var progress = Progress()
    private let destination: URL
    private let identity: String
    private let lock: DiskLock

    private var note: URL { folder.appendingPathComponent(".progress") }
    private static let (lockName, newNoteName) = (".lock", ".progress.new")

    init(for destination: URL, identity: String) throws(ExportError) {
        (self.destination, self.identity) = (destination, identity)
        folder = destination.deletingLastPathComponent()
            .appendingPathComponent(".\(destination.lastPathComponent).partial")
        let (folder, file) = (folder.path, folder.appendingPathComponent(Self.lockName).path)
        let lock = try ExportError.explaining { () throws(DiskError) in
            try Disk.makeFolder(folder)
            return try DiskLock(ifFree: file)
        }
        guard let lock else { throw .destinationBusy(path: destination.path) }
        self.lock = lock
        if let left = leftNote() { progress = left.progress } else { try clear() }
    }

    /// What an interrupted export of the same kind has noted.
    private func leftNote() -> Note? {
        guard let data = try? Data(contentsOf: note), let left = try? JSONDecoder().decode(Note.self, from: data),
            left.identity == identity, left.boot == Self.boot
        else { return nil }
        return left
    }

    private func clear() throws(ExportError) {
        do {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name != Self.lockName {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
        } catch {
            throw .cannotWrite(path: folder.path, reason: error.localizedDescription)
        }
    }

    /// Notes that parts are written whole.
    func record(_ progress: Progress) throws(ExportError) {
        self.progress = progress
        let data = try? JSONEncoder().encode(Note(identity: identity, boot: Self.boot, progress: progress))
        try NewFile(name: Self.newNoteName, bytes: Array(data ?? Data())).write(into: folder.path)
        let (new, note) = (folder.appendingPathComponent(Self.newNoteName).path, note.path)
        try ExportError.explaining { () throws(DiskError) in try Disk.rename(new, to: note) }
    }

    /// Gives the folder its destination's name, once its files are safe from a power failure.
    func complete() throws(ExportError) {
        try ExportError.explaining { () throws(DiskError) in
            for name in [note.lastPathComponent, Self.newNoteName, Self.lockName] {
                try Disk.remove(folder.appendingPathComponent(name).path)
            }
            try Disk.syncFileSystem(of: folder.path)
            // Renaming onto an empty folder replaces it; onto one that filled up meanwhile it fails.
            try Disk.rename(folder.path, to: destination.path)
            try Disk.syncFolder(destination.deletingLastPathComponent().path)
        }
    }

    /// Removes everything.
    func discard() { try? FileManager.default.removeItem(at: folder) }

    private static let boot: String = {
        let id = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return id?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
    }()
}
