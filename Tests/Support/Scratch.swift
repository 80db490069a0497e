package import Foundation

/// A folder that goes away with its test.
package final class Scratch: Sendable {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "attune-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    package func url(_ name: String) -> URL { url.appending(path: name) }
    package func path(_ name: String) -> String { url(name).path }

    /// Writes a file and gives its path.
    package func file(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: url(name))
        return path(name)
    }
}
