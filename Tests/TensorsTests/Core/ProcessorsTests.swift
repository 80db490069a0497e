import Foundation
import Tensors
import Testing

/// Limits of control groups, as containers and batch systems set them.
@Suite struct ProcessorsTests {
    private let root: URL

    init() throws {
        root = FileManager.default.temporaryDirectory.appendingPathComponent("attune-groups-\(UUID().uuidString)")
    }

    private func quota(_ files: [String: String]) throws -> Int? {
        for (path, text) in files {
            let file = root.appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        defer { try? FileManager.default.removeItem(at: root) }
        return Processors.quota(root: root)
    }

    private let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

    @Test func versionTwo() throws {
        let group = ["proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": unified]
        func limits(_ limits: [String: String]) -> [String: String] { group.merging(limits) { $1 } }
        #expect(try quota(group) == nil)
        #expect(try quota(limits(["sys/fs/cgroup/a/b/cpu.max": "max 100000\n"])) == nil)
        #expect(try quota(limits(["sys/fs/cgroup/a/b/cpu.max": "250000 100000\n"])) == 3)
        #expect(try quota(limits(["sys/fs/cgroup/a/b/cpu.max": "10000 100000\n"])) == 1)
        // The group above has less.
        #expect(
            try quota(
                limits(["sys/fs/cgroup/a/b/cpu.max": "400000 100000\n", "sys/fs/cgroup/a/cpu.max": "200000 100000\n"]))
                == 2)
        for odd in ["", "nan 100000", "0 100000", "-1 100000", "100000 0", "99999999999999999999999999 1", "many"] {
            #expect(try quota(limits(["sys/fs/cgroup/a/b/cpu.max": odd])) == nil, "\(odd)")
        }
    }

    /// A container that sees its own group at the top of the mount, under the name that it has outside.
    @Test func inAContainer() throws {
        let mount = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
        for group in ["0::/docker/abc\n", "0::/\n", "0::/../../other\n"] {
            #expect(
                try quota([
                    "proc/self/cgroup": group, "proc/self/mountinfo": mount, "sys/fs/cgroup/cpu.max": "200000 100000",
                ]) == 2, "\(group)")
        }
    }

    @Test func versionOne() throws {
        let files = [
            "proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/job\n1:name=systemd:/\n",
            "proc/self/mountinfo": """
            31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct

            """,
            "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "50000\n",
        ]
        let name = "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us"
        #expect(try quota(files.merging([name: "200000\n"]) { $1 }) == 4)
        #expect(try quota(files.merging([name: "-1\n"]) { $1 }) == nil)
    }

    @Test func thisMachine() {
        #expect(Processors.allowed >= 1)
        #expect((1...Processors.allowed).contains(Processors.usable))
    }
}
