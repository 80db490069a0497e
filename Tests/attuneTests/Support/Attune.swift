import Foundation
import TestSupport
import Testing

/// How a run of the built command ended.
struct Outcome {
    let status: Int32
    let output: String
    let errors: String
    /// Whether a signal ended it.
    let wasKilled: Bool

    /// The lines on standard error that report a failure.
    var failures: [Substring] { errors.split(separator: "\n").filter { $0.hasPrefix("attune: ") } }
}

/// The built `attune`, driven as a user drives it.
enum Attune {
    static let binary = Repository.command
    static let repository = Repository.root
    static let model = Repository.tinySD.path

    /// A Python with the readers that exports and batches are compared with; `make test` names it.
    static let python = ProcessInfo.processInfo.environment["ATTUNE_PYTHON"].map { URL(fileURLWithPath: $0) }

    /// Whether the tests that take long are to take all of it: `make test-long`.
    static let isLong = ProcessInfo.processInfo.environment["ATTUNE_LONG"] == "1"

    /// How often a test of random kills kills: ATTUNE_KILLS, else 200 times in the long form and 20 in the short.
    static let kills =
        ProcessInfo.processInfo.environment["ATTUNE_KILLS"].flatMap { Int($0) } ?? (isLong ? 200 : 20)

    /// Runs the command to its end.
    @discardableResult
    static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
        try start(arguments, environment: environment).wait()
    }

    /// Runs the command and requires that it succeeds.
    @discardableResult
    static func succeed(
        _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try start(arguments).wait()
        try #require(
            outcome.status == 0, "attune \(arguments.joined(separator: " ")): \(outcome.errors)",
            sourceLocation: sourceLocation)
        return outcome.output
    }

    static func start(_ arguments: [String], environment: [String: String] = [:]) throws -> RunningCommand {
        try RunningCommand(binary, arguments, environment: environment)
    }
}

/// A program in progress; its output goes to files, so that no pipe can fill up.
final class RunningCommand {
    private let process = Process()
    private let folder: URL

    init(_ program: URL, _ arguments: [String], environment: [String: String] = [:]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("attune-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in ["out", "err"] {
            _ = FileManager.default.createFile(atPath: folder.appendingPathComponent(name).path, contents: nil)
        }
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = try FileHandle(forWritingTo: folder.appendingPathComponent("out"))
        process.standardError = try FileHandle(forWritingTo: folder.appendingPathComponent("err"))
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    var isRunning: Bool { process.isRunning }

    /// Whether it has taken over a signal, as it does at its start.
    func handles(_ signal: Int32) -> Bool {
        let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
        guard let mask = line?.split(separator: "\t").last.flatMap({ UInt64($0, radix: 16) }) else { return false }
        return mask >> UInt64(signal - 1) & 1 == 1
    }

    func wait() throws -> Outcome {
        process.waitUntilExit()
        defer { try? FileManager.default.removeItem(at: folder) }
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
        }
        return Outcome(
            status: process.terminationStatus, output: try text("out"), errors: try text("err"),
            wasKilled: process.terminationReason == .uncaughtSignal)
    }
}
