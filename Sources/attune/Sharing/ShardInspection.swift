import Corpus
import Foundation

/// Checks a shard from elsewhere in another process: a file made to crash libhdf5 crashes that one.
struct ShardInspection: Sendable {
    func callAsFunction(_ file: URL, _ digest: Digest) throws {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [CheckShardCommand.name, file.path, digest.hex]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let said = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus != 0 || process.terminationReason == .uncaughtSignal else { return }
        let words = oneLine(String(decoding: said, as: UTF8.self)).replacing("attune: ", with: "")
        throw CorpusError(
            .damaged, digest.hex,
            process.terminationReason == .uncaughtSignal
                ? "reading the shard crashes: it was not imported" : words)
    }
}
