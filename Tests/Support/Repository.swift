package import Foundation

/// The repository that the tests were built from.
package enum Repository {
    package static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The bundled model.
    package static let tinySD = root.appending(path: "datasets/tiny-sd")

    /// The built command, beside the test bundle.
    package static let command: URL = {
        let itself = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: itself).deletingLastPathComponent().appending(path: "attune")
    }()
}
