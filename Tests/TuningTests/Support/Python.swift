import Foundation

/// The Python of .venv, or the system's.
enum Python {
    static let place = ProcessInfo.processInfo.environment["ATTUNE_PYTHON"] ?? "/usr/bin/python3"

    static let isThere = FileManager.default.isExecutableFile(atPath: place)

    /// Whether it can check documents against schemas.
    static let hasJSONSchema = isThere && ((try? run(["-c", "import jsonschema"]).status) == 0)

    static func run(_ arguments: [String]) throws -> (status: Int32, output: Data) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: place)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, data)
    }
}
