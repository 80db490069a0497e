import CorpusStore
import Foundation
import Testing

@Suite struct FileSystemTests {
    private static let mounts = #"""
        22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
        40 22 0:35 / /data rw,relatime shared:2 - nfs4 server:/export rw,vers=4.2
        41 40 0:36 / /data/my\040scratch rw,relatime - xfs /dev/sdb1 rw
        42 22 0:37 / /mnt/s3 rw,nosuid - fuse.s3fs s3fs rw
        """#

    @Test(arguments: [
        ("/", "ext4"), ("/home/me/corpus", "ext4"), ("/data", "nfs4"), ("/data/corpora/c", "nfs4"),
        ("/database", "ext4"),
        ("/data/my scratch/c", "xfs"), ("/mnt/s3/c", "fuse.s3fs"),
    ])
    func theNearestMountCounts(path: String, kind: String) {
        #expect(FileSystem.kind(of: URL(fileURLWithPath: path), mounts: Self.mounts) == kind)
    }

    /// Containers of one host share its catalogue when they are told the host's name.
    @Test func aHostIsCalledWhatItIsTold() {
        #expect(Surroundings.name(in: ["ATTUNE_HOST": "node-7.example"]) == "node_7_example")
        #expect(Surroundings.name(in: ["ATTUNE_HOST": ""]) == Surroundings.name(in: [:]))
    }
}
