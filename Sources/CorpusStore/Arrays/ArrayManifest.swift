import DiskAccess
import Foundation

/// What the workers that share a job have in common: `schemas/array.md`.
package struct ArrayManifest: Codable, Sendable, Equatable {
    package static let version = 1
    private static let format = "attune-array"

    private var format = Self.format
    private var version = Self.version
    /// What is done, as "generate".
    package let work: String
    /// What is shared out, as the name of a prompt file.
    package let name: String
    package let tag: String?
    package let parts: Int
    /// What decides what is made, by its name in messages.
    package let settings: [String: String]
    /// Where the worker runs that wrote this.
    package let host: String
    /// What it computes with: others give other bytes, and the same images to the eye.
    package let computer: String

    package init(
        work: String, name: String, tag: String?, parts: Int, settings: [String: String], computer: String
    ) {
        (self.work, self.name, self.tag, self.parts) = (work, name, tag, parts)
        (self.settings, self.computer) = (settings, computer)
        host = AtomicFiles.host
    }

    /// Workers with another key are of another array.
    var key: String {
        Digest(of: Data([work, name, tag ?? "", String(parts)].map { $0 + "\n" }.joined().utf8)).hex.prefix(32)
            .description
    }

    /// What differs from another worker's, as name, its value here and there; by name.
    package func differences(from other: ArrayManifest) -> [(name: String, here: String, there: String)] {
        Set(settings.keys).union(other.settings.keys).sorted().compactMap { name in
            let (here, there) = (settings[name] ?? "none", other.settings[name] ?? "none")
            return here == there ? nil : (name, here, there)
        }
    }

    fileprivate func encoded(for file: URL) throws(CorpusError) -> Data {
        do { return try JSONEncoder.stable.encode(self) } catch {
            throw CorpusError(.io, file.path, "cannot be written: \(error.localizedDescription)")
        }
    }

    /// Nil for what is no manifest of a version that is known.
    fileprivate init?(_ data: Data) {
        guard let manifest = try? JSONDecoder().decode(Self.self, from: data), manifest.format == Self.format,
            manifest.version <= Self.version
        else { return nil }
        self = manifest
    }
}

/// A worker's place in an array, for as long as this object lives.
package final class ArrayMembership: Sendable {
    /// The manifest of workers that are at work and differ, or of the array before.
    package let other: ArrayManifest?
    /// Whether those are at work.
    package let isBesideOthers: Bool
    private let lock: DiskLock

    fileprivate init(_ lock: DiskLock, other: ArrayManifest? = nil, isBesideOthers: Bool = false) {
        (self.lock, self.other, self.isBesideOthers) = (lock, other, isBesideOthers)
    }
}

/// Whether a worker may take part.
package enum ArrayAdmission: Sendable {
    case joined(ArrayMembership)
    /// Others are at work with other settings.
    case refused(by: ArrayManifest)
}

extension Corpus {
    private var arraysFolder: URL { folder.appending(path: "arrays") }

    /// Takes a place among the workers of an array.
    ///
    /// - Parameters:
    ///   - manifest: what this worker has; the array's, where it is the first.
    ///   - besideOthers: whether to join workers with other settings.
    package func join(_ manifest: ArrayManifest, besideOthers: Bool) throws(CorpusError) -> ArrayAdmission {
        let file = arraysFolder.appending(path: "\(manifest.key).json")
        let lock = arraysFolder.appending(path: "\(manifest.key).lock")
        return try FileLock.hold(arraysFolder.appending(path: ".lock")) { () throws(CorpusError) in
            func place() throws(CorpusError) -> DiskLock {
                try reported { () throws(DiskError) in try DiskLock(waitingFor: lock.path, shared: true) }
            }
            let known = try reported { () throws(DiskError) in try Disk.readIfPresent(file.path) }.flatMap(
                ArrayManifest.init)
            if let known, known.settings == manifest.settings {
                let isOther = known.computer != manifest.computer
                return .joined(ArrayMembership(try place(), other: isOther ? known : nil, isBesideOthers: isOther))
            }
            let isFree = try reported { () throws(DiskError) in try DiskLock(ifFree: lock.path) != nil }
            if let known, !isFree {
                guard besideOthers else { return .refused(by: known) }
                return .joined(ArrayMembership(try place(), other: known, isBesideOthers: true))
            }
            try files.write(manifest.encoded(for: file), to: file)
            return .joined(ArrayMembership(try place(), other: known))
        }
    }
}
