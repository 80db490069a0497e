package import Foundation

/// What a corpus must know of the file system that it is on.
package enum FileSystem {
    /// Kinds that several hosts may use at once, as the kernel names them. FUSE may have anything behind it.
    private static let shared: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "ceph", "beegfs", "9p", "afs", "gfs2", "ocfs2",
        "panfs",
        "wekafs", "virtiofs", "vboxsf",
    ]

    /// Whether other hosts may be using a folder at the same time.
    package static func isShared(_ folder: URL) -> Bool {
        if let known = Surroundings.current.isShared { return known }
        guard let kind = kind(of: folder) else { return false }
        return shared.contains(kind) || kind.hasPrefix("fuse")
    }

    /// The kind of file system that a folder is on; nil where the kernel does not say.
    ///
    /// - Parameters:
    ///   - folder: where it is asked for.
    ///   - mounts: the text of /proc/self/mountinfo; nil to read it.
    package static func kind(of folder: URL, mounts: String? = nil) -> String? {
        guard let mounts = mounts ?? (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) else {
            return nil
        }
        let path = folder.resolvingSymlinksInPath().path
        var best: (point: String, kind: String)?
        for line in mounts.split(separator: "\n") {
            // "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw"
            let halves = line.components(separatedBy: " - ")
            let fields = halves[0].split(separator: " ")
            guard halves.count == 2, fields.count > 4, let kind = halves[1].split(separator: " ").first else {
                continue
            }
            let point = fields[4].replacingOccurrences(of: "\\040", with: " ")
            let isAbove = point == "/" || path == point || path.hasPrefix(point + "/")
            // Of two mounts on one folder, the later one is seen.
            if isAbove, point.count >= best?.point.count ?? 0 { best = (point, String(kind)) }
        }
        return best?.kind
    }
}
