package import Foundation

/// Programs that tests talk to.
package enum Programs {
    package static func find(_ name: String) -> URL? {
        ((ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/usr/local/sbin").split(separator: ":")
            .map { URL(fileURLWithPath: String($0)).appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    /// The names of those that are missing.
    package static func missing(_ names: String...) -> [String] { names.filter { find($0) == nil } }

    /// The Python that has the readers tests compare with.
    package static var python: URL? {
        ProcessInfo.processInfo.environment["ATTUNE_PYTHON"].map { URL(fileURLWithPath: $0) } ?? find("python3")
    }

    package static let hasJSONSchema: Bool = {
        guard let python else { return false }
        return (try? run(python, ["-c", "import jsonschema"]).status) == 0
    }()

    /// Runs a program to its end.
    @discardableResult
    package static func run(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (status: Int32, output: String, errors: String) {
        let process = Process()
        let (output, errors) = (Pipe(), FileManager.default.temporaryDirectory.appending(path: UUID().uuidString))
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: errors) }
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: said, as: UTF8.self),
            String(decoding: try Data(contentsOf: errors), as: UTF8.self)
        )
    }
}
