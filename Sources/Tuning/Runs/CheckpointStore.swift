import CorpusStore
import DiskAccess
import Foundation

/// The checkpoints of a run: immutable files named by the SHA-256 of their bytes.
package struct CheckpointStore: Sendable {
    private static let ending = ".safetensors"

    private let folder: URL
    private let files: AtomicFiles

    package init(_ run: RunFolder) {
        folder = run.checkpoints
        files = run.files
    }

    /// Stores a checkpoint and gives its digest; when this returns, it is on disk.
    package func save(_ checkpoint: Checkpoint) throws -> String {
        let data = try checkpoint.data()
        let digest = Digest(of: data).hex
        try files.write(data, to: file(digest))
        return digest
    }

    /// The newest checkpoint that is intact, with what was found wrong with newer ones.
    package func latest(template: TrainedWeights) throws -> (
        found: (checkpoint: Checkpoint, digest: String)?, notes: [String]
    ) {
        var notes: [String] = []
        for candidate in try candidates(notes: &notes) {
            do {
                let data = try Data(contentsOf: candidate.file, options: .mappedIfSafe)
                guard Digest(of: data).hex == candidate.digest else {
                    throw CheckpointError(candidate.file, "its bytes do not match its name")
                }
                return ((try Checkpoint(reading: candidate.file, template: template), candidate.digest), notes)
            } catch {
                notes.append("\(error); trying the one before")
            }
        }
        return (nil, notes)
    }

    /// What the newest readable checkpoint says its run is bound to, for a run whose log is gone.
    func identity() throws -> RunIdentity? {
        var notes: [String] = []
        return try candidates(notes: &notes).first?.state.identity
    }

    /// Removes all but the newest `count` checkpoints.
    package func keep(_ count: Int) throws {
        var notes: [String] = []
        for candidate in try candidates(notes: &notes).dropFirst(count) {
            try FileManager.default.removeItem(at: candidate.file)
        }
    }

    private struct Candidate {
        let file: URL
        let digest: String
        let state: CheckpointState
    }

    /// Files with a readable header, newest step first.
    private func candidates(notes: inout [String]) throws -> [Candidate] {
        var found: [Candidate] = []
        for name in try Disk.listIfPresent(folder.path) ?? [] where name.hasSuffix(Self.ending) {
            let file = folder.appendingPathComponent(name)
            do {
                let digest = String(name.dropLast(Self.ending.count))
                found.append(Candidate(file: file, digest: digest, state: try Checkpoint.state(of: file)))
            } catch {
                notes.append("\(error); it is left out")
            }
        }
        return found.sorted { ($0.state.step, $0.digest) > ($1.state.step, $1.digest) }
    }

    private func file(_ digest: String) -> URL {
        folder.appendingPathComponent(digest + Self.ending)
    }
}
