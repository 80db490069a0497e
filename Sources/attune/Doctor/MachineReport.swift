import Foundation
import Tensor

/// What `doctor` finds out about the machine.
struct MachineReport: Encodable {
    let attune = attuneVersion
    let system: String
    let blas: String
    let blasCore: String
    let threads: Int
    let memoryBytes: UInt64
    /// Free bytes on the disk of the folder asked about; nil where it cannot be told.
    let freeDiskBytes: Int64?
    let warnings: [String]

    private static let smallDisk: Int64 = 5_000_000_000

    init(folder: String, environment: [String: String] = ProcessInfo.processInfo.environment) {
        let process = ProcessInfo.processInfo
        system = process.operatingSystemVersionString
        blas = BLAS.configuration
        blasCore = BLAS.coreName
        threads = Parallel.threads
        memoryBytes = process.physicalMemory
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
        freeDiskBytes = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value

        var warnings: [String] = []
        if let pinned = environment["OPENBLAS_CORETYPE"] {
            warnings.append(
                "OPENBLAS_CORETYPE=\(pinned) pins OpenBLAS's kernels, at up to half the speed; unset it")
        }
        if let limit = environment["OPENBLAS_NUM_THREADS"], limit == "1" {
            warnings.append("OPENBLAS_NUM_THREADS=1 has no effect here: Attune runs its own threads")
        }
        if let free = freeDiskBytes, free < Self.smallDisk {
            warnings.append("less than 5 GB free on the disk of \(folder); make room before a long run")
        } else if freeDiskBytes == nil {
            warnings.append("\(folder) does not exist; give --corpus a folder to see its disk")
        }
        self.warnings = warnings
    }

    var text: String {
        let gigabyte = 1e9
        var lines = [
            "attune   \(attune)",
            "system   \(system), \(formatted(Double(memoryBytes) / gigabyte, digits: 1)) GB memory",
            "blas     \(blas)",
            "core     \(blasCore), \(threads) threads",
        ]
        if let free = freeDiskBytes {
            lines.append("disk     \(formatted(Double(free) / gigabyte, digits: 1)) GB free")
        }
        lines += warnings.isEmpty ? ["nothing is missing"] : warnings.map { "warning  \($0)" }
        return lines.joined(separator: "\n")
    }
}
