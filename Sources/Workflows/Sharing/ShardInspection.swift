package import CorpusStore
package import Foundation

/// Checks a shard from elsewhere in another process: a file made to crash libhdf5 crashes that one.
package struct ShardInspection: Sendable {
    private let program: URL
    private let arguments: [String]

    /// - Parameters:
    ///   - program: a command that calls ``Corpus/inspect(_:digest:)`` and reports what that throws on standard error.
    ///   - arguments: what comes before the shard's file and its digest.
    package init(program: URL, arguments: [String]) { (self.program, self.arguments) = (program, arguments) }

    /// - Throws: ``CorpusError`` for a shard that is not whole, what the process throws where it cannot be started.
    package func callAsFunction(_ file: URL, _ digest: Digest) throws {
        let process = Process()
        let errors = Pipe()
        process.executableURL = program
        process.arguments = arguments + [file.path, digest.hex]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let said = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus != 0 || process.terminationReason == .uncaughtSignal else { return }
        let words = joinedLines(String(decoding: said, as: UTF8.self)).replacing("attune: ", with: "")
        throw CorpusError(
            .damaged, digest.hex,
            process.terminationReason == .uncaughtSignal
                ? "reading the shard crashes: it was not imported" : words)
    }
}
