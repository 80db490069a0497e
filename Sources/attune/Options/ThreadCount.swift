import ArgumentParser
import Foundation
import Tensors

/// `--threads`, or the environment variable ATTUNE_THREADS in its place.
enum ThreadCount {
    static let variable = "ATTUNE_THREADS"
    private static let bounds = 1...1024

    /// - Parameter option: what was given on the command line.
    static func use(_ option: Int?) throws {
        if let option {
            guard bounds.contains(option) else {
                throw ValidationError("--threads is \(option); it must be from 1 to \(bounds.upperBound)")
            }
            Parallel.use(threads: option)
        } else if let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty {
            guard let count = Int(text), bounds.contains(count) else {
                throw ValidationError("\(variable) is '\(text)'; it must be from 1 to \(bounds.upperBound)")
            }
            Parallel.use(threads: count)
        }
    }
}
