import CKernels
package import Foundation

/// How many processors this process may keep busy: those of its affinity mask, and no more than the time that control
/// groups grant it, as containers and batch systems set them. Threads beyond that only wait for each other.
package enum Processors {
    /// The affinity mask's.
    package static var allowed: Int { Int(ck_processors()) }

    /// What one pool of threads should use, at least 1.
    package static var usable: Int { min(allowed, quota() ?? .max) }

    /// Processors' worth of time that control groups grant, rounded up; nil without a limit.
    ///
    /// - Parameter root: where the system's files are; not `/` in tests.
    package static func quota(root: URL = URL(fileURLWithPath: "/")) -> Int? {
        func text(_ path: String) -> String? {
            try? String(contentsOf: root.appending(path: path), encoding: .utf8)
        }
        guard let groups = text("proc/self/cgroup"), let mounts = text("proc/self/mountinfo") else { return nil }
        let limits = hierarchies(groups: groups, mounts: mounts).flatMap { hierarchy in
            hierarchy.folders.compactMap { folder in
                hierarchy.isUnified
                    ? limit(text("\(folder)/cpu.max")?.split(whereSeparator: \.isWhitespace).map(String.init) ?? [])
                    : limit(
                        [text("\(folder)/cpu.cfs_quota_us"), text("\(folder)/cpu.cfs_period_us")]
                            .compactMap { $0?.trimmingCharacters(in: .whitespacesAndNewlines) })
            }
        }
        return limits.min().map { max(1, Int($0.rounded(.up))) }
    }

    /// A quota and its period, in microseconds; nil for none ("max", -1) and for what is not a limit.
    private static func limit(_ words: [String]) -> Double? {
        guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), quota > 0, period > 0,
            quota / period < 1_000_000
        else { return nil }
        return quota / period
    }

    private struct Hierarchy {
        let isUnified: Bool
        /// The process's group and all above it: each may have a limit.
        let folders: [String]
    }

    private static func hierarchies(groups: String, mounts: String) -> [Hierarchy] {
        groups.split(separator: "\n").compactMap { line in
            // "0::/user.slice" (version 2) or "4:cpu,cpuacct:/docker/…" (version 1)
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            let isUnified = fields[0] == "0" && fields[1].isEmpty
            guard isUnified || fields[1].split(separator: ",").contains("cpu"),
                let (point, top) = mount(mounts, isUnified: isUnified)
            else { return nil }
            // In a container the mount may begin at its group.
            var group = String(fields[2])
            if top != "/", group == top || group.hasPrefix(top + "/") { group = String(group.dropFirst(top.count)) }
            let parts = group.split(separator: "/").filter { $0 != ".." }
            let folders = (0...parts.count).map { ([Substring(point)] + parts.prefix($0)).joined(separator: "/") }
            return Hierarchy(isUnified: isUnified, folders: folders)
        }
    }

    /// Where a hierarchy is mounted, and which of its groups is at the top there.
    private static func mount(_ mounts: String, isUnified: Bool) -> (point: String, top: String)? {
        for line in mounts.split(separator: "\n") {
            // "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
            let halves = line.components(separatedBy: " - ")
            guard halves.count == 2 else { continue }
            let (fields, kind) = (halves[0].split(separator: " "), halves[1].split(separator: " "))
            guard fields.count > 4, kind.count > 2 else { continue }
            let fits =
                isUnified
                ? kind[0] == "cgroup2" : kind[0] == "cgroup" && kind[2].split(separator: ",").contains("cpu")
            if fits { return (String(fields[4]), String(fields[3])) }
        }
        return nil
    }
}
