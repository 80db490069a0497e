import DiskAccess
package import Foundation
import Synchronization
package import Workflows

/// The runs of a corpus. Of a log that has grown, only what is new is read.
package final class RunHistories: Sendable {
    package struct Run: Sendable {
        package let name: String
        package let history: RunHistory
        /// Changes whenever the page of the run would.
        package let version: String
        /// Steps in a second, as far as that is known.
        package let rate: Double?
        package let isActive: Bool
        package let validations: [Validation]

        /// Seconds to go; nil where that is not known.
        package var remaining: Double? {
            guard !history.isFinished, let rate, rate > 0, let all = history.settings.steps else { return nil }
            return Double(max(0, all - history.step)) / rate
        }
    }

    /// Images that a run made after a step, by prompt.
    package struct Validation: Sendable {
        package let step: Int
        package let images: [String]
    }

    private struct Known {
        var history = RunHistory()
        /// How far the log was read, and what it was then.
        var offset = 0
        var inode: UInt64 = 0
        var changed: Double = 0
        /// When how many steps were seen.
        var seen: [(time: Double, step: Int)] = []
    }

    private let folder: URL
    private let known = Mutex<[String: Known]>([:])

    package init(_ folder: URL) { self.folder = folder }

    /// The names of runs, sorted.
    package func names() throws -> [String] {
        try (Disk.listIfPresent(folder.path) ?? []).filter { Self.isName($0) }
    }

    /// What can be a run's name: nothing that leads out of the folder of runs.
    package static func isName(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 128
            && name.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
            }
    }

    package func run(_ name: String) throws -> Run {
        let place = folder.appending(path: name)
        guard Self.isName(name), try Disk.exists(place.path) else {
            throw Refusal.missing("the corpus has no run '\(name.prefix(80))'")
        }
        let log = place.appending(path: "log.jsonl")
        let state = try known.withLock { all in
            var state = all[name] ?? Known()
            try Self.update(&state, log.path)
            all[name] = state
            return state
        }
        let validations = try Self.validations(place)
        let now = Date().timeIntervalSince1970
        return Run(
            name: name, history: state.history,
            version: "\(state.inode)-\(state.offset)-\(validations.last?.step ?? 0)-\(validations.count)",
            rate: try Self.rate(state, place), isActive: !state.history.isFinished && now - state.changed < 120,
            validations: validations)
    }

    private static func update(_ state: inout Known, _ path: String) throws {
        guard let status = try Disk.status(path) else {
            state = Known()
            return
        }
        // A resume puts another file in its place.
        if UInt64(status.st_ino) != state.inode || Int(status.st_size) < state.offset { state = Known() }
        state.inode = UInt64(status.st_ino)
        state.changed = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
        guard Int(status.st_size) > state.offset else { return }
        let file = try DiskFile(path, .read)
        var data = Data(count: Int(status.st_size) - state.offset)
        let count = try data.withUnsafeMutableBytes { bytes throws(DiskError) in
            try file.read(bytes, at: UInt64(state.offset))
        }
        data = data.prefix(count)
        // What follows the last newline is not finished.
        guard let end = data.lastIndex(of: UInt8(ascii: "\n")) else { return }
        let whole = data[data.startIndex...end]
        state.history.add(Data(whole))
        state.offset += whole.count
        state.seen.append((state.changed, state.history.step))
        if state.seen.count > 60 { state.seen.removeFirst(30) }
    }

    /// From what was seen while watching, or else from when the last checkpoints were written.
    private static func rate(_ state: Known, _ place: URL) throws(DiskError) -> Double? {
        if let first = state.seen.first, let last = state.seen.last, last.time - first.time > 1, last.step > first.step
        {
            return Double(last.step - first.step) / (last.time - first.time)
        }
        var times: [(time: Double, step: Int)] = []
        for checkpoint in state.history.checkpoints.suffix(4) {
            let path = place.appending(path: "checkpoints/\(checkpoint.digest).safetensors").path
            guard let status = try Disk.status(path) else { continue }
            times.append((Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9, checkpoint.step))
        }
        guard let first = times.first, let last = times.last, last.time > first.time, last.step > first.step else {
            return nil
        }
        return Double(last.step - first.step) / (last.time - first.time)
    }

    /// `validation/STEP/*.png`, in the order of steps.
    private static func validations(_ place: URL) throws -> [Validation] {
        let folder = place.appending(path: "validation")
        return try (Disk.listIfPresent(folder.path) ?? []).compactMap { name -> Validation? in
            guard let step = Int(name), step >= 0 else { return nil }
            let images = try (Disk.listIfPresent(folder.appending(path: name).path) ?? []).filter(isImage)
            return images.isEmpty ? nil : Validation(step: step, images: images)
        }.sorted { $0.step < $1.step }
    }

    private static func isImage(_ name: String) -> Bool { isName(name) && name.hasSuffix(".png") }

    /// The bytes of a validation image, found by the names that the folder itself lists.
    package func validationImage(_ name: String, step: Int, image: Int) throws -> [UInt8] {
        let run = try run(name)
        guard let found = run.validations.first(where: { $0.step == step }), found.images.indices.contains(image) else {
            throw Refusal.missing("run \(name) has no such image after step \(step)")
        }
        let path = folder.appending(path: "\(name)/validation")
        let names = try Disk.list(path.path)
        guard let step = names.first(where: { Int($0) == step }) else { throw Refusal.missing("the images have gone") }
        return [UInt8](try Disk.read(path.appending(path: "\(step)/\(found.images[image])").path))
    }
}
