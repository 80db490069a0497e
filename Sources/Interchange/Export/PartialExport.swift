import DiskAccess
import Foundation

/// An export in progress: `.NAME.partial` beside its destination, or inside one that cannot be replaced, with a lock
/// and a note of how far it has come.
///
/// A killed export leaves it behind; the same command resumes it, another one starts it over.
final class PartialExport {
    /// How far an export has come.
    struct Progress: Codable, Equatable {
        /// Parts that are written completely.
        var part = 0
        /// The sample that the next part begins with.
        var next = 0
        /// What is moved out of the folder, once everything is written; nil before.
        var moving: [String]?
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
    private let isFixed: Bool
    private let identity: String
    private let lock: DiskLock

    private var note: URL { folder.appendingPathComponent(Self.noteName) }
    private static let (lockName, noteName, newNoteName) = (".lock", ".progress", ".progress.new")

    /// What its folder is called.
    static func name(for destination: URL) -> String { ".\(destination.lastPathComponent).partial" }

    /// What an export inside a destination was moving to its place when it was killed.
    static func moved(in destination: URL) throws(ExportError) -> [String] {
        let note = destination.appendingPathComponent(name(for: destination)).appendingPathComponent(noteName)
        return try read(note)?.progress.moving ?? []
    }

    init(for destination: URL, isFixed: Bool, identity: String) throws(ExportError) {
        (self.destination, self.isFixed, self.identity) = (destination, isFixed, identity)
        folder = (isFixed ? destination : destination.deletingLastPathComponent())
            .appendingPathComponent(Self.name(for: destination))
        let (folder, file) = (folder.path, folder.appendingPathComponent(Self.lockName).path)
        let lock = try ExportError.explaining { () throws(DiskError) in
            try Disk.makeFolder(folder)
            return try DiskLock(ifFree: file)
        }
        guard let lock else { throw .destinationBusy(path: destination.path) }
        self.lock = lock
        if let left = try leftNote() { progress = left.progress } else { try clear() }
    }

    /// Whether everything is written, and only the move to its place was interrupted.
    var isWritten: Bool { progress.moving != nil }

    /// What an interrupted export of the same kind has noted.
    private func leftNote() throws(ExportError) -> Note? {
        guard let left = try Self.read(note), left.identity == identity, left.boot == Self.boot else { return nil }
        return left
    }

    /// A note; nil where there is none, and for one that was torn.
    private static func read(_ note: URL) throws(ExportError) -> Note? {
        let data = try ExportError.explaining { () throws(DiskError) in try Disk.readIfPresent(note.path) }
        return data.flatMap { try? JSONDecoder().decode(Note.self, from: $0) }
    }

    private func clear() throws(ExportError) {
        let moved = try isFixed ? Self.moved(in: destination) : []
        do {
            // The other export's files that are in their place already, then the rest, the note of them last.
            for name in moved {
                let file = destination.appendingPathComponent(name)
                if try Disk.exists(file.path) { try FileManager.default.removeItem(at: file) }
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            for name in names.filter({ $0 != Self.noteName }) + names.filter({ $0 == Self.noteName })
            where name != Self.lockName {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
        } catch {
            throw .cannotWrite(path: folder.path, reason: error.localizedDescription)
        }
    }

    /// Notes that parts are written completely.
    func record(_ progress: Progress) throws(ExportError) {
        self.progress = progress
        let data = try? JSONEncoder().encode(Note(identity: identity, boot: Self.boot, progress: progress))
        try NewFile(name: Self.newNoteName, bytes: Array(data ?? Data())).write(into: folder.path)
        let (new, note) = (folder.appendingPathComponent(Self.newNoteName).path, note.path)
        try ExportError.explaining { () throws(DiskError) in try Disk.rename(new, to: note) }
    }

    /// Gives the folder its destination's name, once its files are safe from a power failure.
    func complete() throws(ExportError) {
        if isFixed { return try moveOut() }
        try ExportError.explaining { () throws(DiskError) in
            for name in [Self.noteName, Self.newNoteName, Self.lockName] {
                try Disk.remove(folder.appendingPathComponent(name).path)
            }
            try Disk.syncFileSystem(of: folder.path)
            // Renaming onto an empty folder replaces it; onto one that filled up meanwhile it fails.
            try Disk.rename(folder.path, to: destination.path)
            try Disk.syncFolder(destination.deletingLastPathComponent().path)
        }
    }

    /// Moves what is written to its place, entry by entry; the note tells which, so that a killed move is finished.
    private func moveOut() throws(ExportError) {
        let own = [Self.lockName, Self.noteName, Self.newNoteName]
        var names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !own.contains($0) }
        } catch {
            throw .cannotWrite(path: folder.path, reason: "cannot list it")
        }
        if progress.moving == nil {
            var moving = progress
            moving.moving = names
            try record(moving)
        }
        try ExportError.explaining { () throws(DiskError) in
            try Disk.syncFileSystem(of: folder.path)
            for name in names.sorted() {
                try Disk.rename(
                    folder.appendingPathComponent(name).path, to: destination.appendingPathComponent(name).path)
            }
            try Disk.syncFolder(destination.path)
        }
        discard()
    }

    /// Removes everything.
    func discard() { try? FileManager.default.removeItem(at: folder) }

    private static let boot: String = {
        let id = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return id?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
    }()
}
