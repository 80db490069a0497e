import Foundation

/// Where this process runs, as far as a corpus must know.
package struct Surroundings: Sendable {
    /// The host's name, in letters, digits and `_`.
    package var host: String
    /// What this boot of its kernel is called: hosts of one name differ in it.
    package var boot: String
    /// Whether every file system counts as one that other hosts use too; nil to ask the kernel.
    package var isShared: Bool?

    package init(host: String, boot: String, isShared: Bool? = nil) {
        (self.host, self.boot, self.isShared) = (host, boot, isShared)
    }

    /// A test can be another host for a task.
    @TaskLocal package static var current = Surroundings(host: name(), boot: bootName())

    /// ATTUNE_HOST, where a container's own name is another one each time, and else the host's name.
    package static func name(in environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        let given = environment["ATTUNE_HOST"].flatMap { $0.isEmpty ? nil : $0 }
        return (given ?? ProcessInfo.processInfo.hostName).map { $0.isLetter || $0.isNumber ? String($0) : "_" }
            .joined()
    }

    private static func bootName() -> String {
        let id = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        let digits = (id ?? "").filter(\.isHexDigit)
        return digits.isEmpty ? "unknown" : digits
    }
}
