package import CorpusStore
import DiskAccess
package import Foundation

/// Why a run's log cannot be used.
package enum RunLogError: Error, CustomStringConvertible, Sendable {
    case unreadable(file: String, reason: String)
    case damaged(file: String, line: Int)
    case notWritten(file: String, reason: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason): "cannot read run log \(file): \(reason)"
        case .damaged(let file, let line):
            "run log \(file) is damaged at line \(line); restore it, or start a new run under another name"
        case .notWritten(let file, let reason): "cannot write run log \(file): \(reason)"
        }
    }
}

/// A run's log: JSON lines, each on disk before the work that it announces proceeds.
package final class RunLog {
    private let file: DiskFile

    /// The entries of a log. A last line that was torn by a kill counts as not written; no file is an empty log.
    package static func read(_ file: URL) throws(RunLogError) -> [RunLogEntry] {
        let found: Data?
        do throws(DiskError) { found = try Disk.readIfPresent(file.path) } catch {
            throw .unreadable(file: file.path, reason: error.message)
        }
        guard let data = found else { return [] }
        let decoder = JSONDecoder()
        var entries: [RunLogEntry] = []
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // What follows the last newline was never finished.
        for (index, line) in lines.dropLast().enumerated() where !line.isEmpty {
            do {
                entries.append(try decoder.decode(RunLogEntry.self, from: Data(line)))
            } catch {
                if index == lines.count - 2 { break }
                throw .damaged(file: file.path, line: index + 1)
            }
        }
        return entries
    }

    /// Opens a log that holds just `entries`, replacing what was there in one rename.
    package init(_ file: URL, holding entries: [RunLogEntry], files: AtomicFiles) throws(RunLogError) {
        do {
            var data = Data()
            for entry in entries { data.append(try Self.line(entry)) }
            try files.write(data, to: file)
            self.file = try DiskFile(file.path, .append)
        } catch {
            throw .notWritten(file: file.path, reason: "\(error)")
        }
    }

    /// Adds an entry; when this returns, it is on disk.
    package func append(_ entry: RunLogEntry) throws(RunLogError) {
        do {
            try file.write(try Self.line(entry))
            try file.sync()
        } catch {
            throw .notWritten(file: file.path, reason: "\(error)")
        }
    }

    private static func line(_ entry: RunLogEntry) throws -> Data {
        return LineSum.seal(try JSONEncoder.stable.encode(entry)) + [UInt8(ascii: "\n")]
    }
}

extension [RunLogEntry] {
    /// What the run is bound to, if it got that far.
    package var identity: RunIdentity? {
        for case .run(let identity) in self { return identity }
        return nil
    }

    /// What computed last, as far as it was noted.
    package var computer: RunComputer? {
        for entry in reversed() {
            switch entry {
            case .resumed(let record): if let computer = record.computer { return computer }
            case .run(let identity): return identity.computer
            default: continue
            }
        }
        return nil
    }

    /// Digest of the selection by epoch.
    package var resolutions: [Int: Digest] {
        var found: [Int: Digest] = [:]
        for case .resolution(let resolution) in self where found[resolution.epoch] == nil {
            found[resolution.epoch] = resolution.selection
        }
        return found
    }

    /// The log as it stands when the run resumes after `step`: what came later is computed again, except that the
    /// selections of epochs, once announced, hold.
    package func rewound(to step: Int) -> [RunLogEntry] {
        var entries: [RunLogEntry] = []
        for entry in self {
            switch entry {
            case .run, .resolution: entries.append(entry)
            case .step(let record) where record.step <= step: entries.append(entry)
            case .evaluation(let record) where record.step <= step: entries.append(entry)
            case .validation(let record) where record.step <= step: entries.append(entry)
            case .checkpoint(let record) where record.step <= step: entries.append(entry)
            case .resumed(let record) where record.step <= step: entries.append(entry)
            case .step, .evaluation, .validation, .checkpoint, .resumed, .finished: break
            }
        }
        return entries
    }
}
