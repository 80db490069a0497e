import DiskAccess
import Foundation
import OCI
import Tensors

/// What `doctor` finds out about the machine.
package struct MachineReport: Encodable {
    package let attune: String
    package let system: String
    package let blas: String
    package let blasCore: String
    /// What the processor has, for the loops.
    package let vectorLevel: String
    /// What matrix products run on: Attune's own kernels, or OpenBLAS where the level is below x86-64-v4.
    package let products: String
    /// What multiplies brain floats with --precision bfloat16.
    package let bfloat16: String
    /// PyTorch, whose devices --device names.
    package let torch: TorchReport
    package let threads: Int
    /// What this process may run on, by its affinity mask.
    package let processors: Int
    /// Processors' worth of time that control groups grant; nil without a limit.
    package let processorQuota: Int?
    package let memoryBytes: UInt64
    /// Memory that could be had now without swapping; nil where the system does not tell.
    package let availableMemoryBytes: UInt64?
    /// Free bytes on the disk of the folder asked about; nil where it cannot be told.
    package let freeDiskBytes: Int64?
    /// Where requests to registries go through, by the variable that says so; without credentials.
    package let proxies: [String: String]
    package let warnings: [String]

    private static let smallDisk: Int64 = 5_000_000_000
    /// OpenBLAS's kernel sets with AVX-512.
    private static let wideCores: Set = ["skylakex", "cooperlake", "sapphirerapids", "zen4"]

    private static func availableMemory() -> UInt64? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }),
            let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ UInt64($0) })
        else { return nil }
        return kilobytes * 1024
    }

    /// - Parameters:
    ///   - version: of the command that asks.
    ///   - folder: whose disk is looked at.
    ///   - environment: where proxies and limits are set.
    package init(
        version: String, folder: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        attune = version
        let process = ProcessInfo.processInfo
        system = process.operatingSystemVersionString
        blas = BLAS.configuration
        blasCore = BLAS.coreName
        vectorLevel = VectorLevel.processor
        products = VectorLevel.hasOwnProducts ? "attune \(VectorLevel.products)" : "OpenBLAS \(BLAS.coreName)"
        bfloat16 = BFloat16Unit.name
        threads = Parallel.threads
        torch = TorchReport(environment: environment)
        (processors, processorQuota) = (Processors.allowed, Processors.quota())
        memoryBytes = process.physicalMemory
        availableMemoryBytes = Self.availableMemory()
        let diskProblem: DiskError?
        do throws(DiskError) {
            (freeDiskBytes, diskProblem) = (try Disk.freeBytes(at: folder).map(Int64.init), nil)
        } catch { (freeDiskBytes, diskProblem) = (nil, error) }

        let proxySettings = ProxySettings(environment: environment).summary
        proxies = Dictionary(proxySettings.map { ($0.variable, $0.meaning) }) { first, _ in first }

        var warnings: [String] = []
        if let pinned = environment["OPENBLAS_CORETYPE"] {
            let narrow = !Self.wideCores.contains(pinned.lowercased()) && VectorLevel.processor == "x86-64-v4"
            warnings.append(
                narrow
                    ? "OPENBLAS_CORETYPE=\(pinned) pins OpenBLAS to kernels without AVX-512, which this processor has: "
                        + "half the speed where OpenBLAS is used, and other last bits; unset it"
                    : "OPENBLAS_CORETYPE=\(pinned) pins OpenBLAS's kernels; unset it to let it choose")
        }
        if let level = environment["ATTUNE_VECTOR_LEVEL"] {
            warnings.append(
                "ATTUNE_VECTOR_LEVEL=\(level) holds loops and products to \(VectorLevel.products) where the processor has "
                    + "\(VectorLevel.processor); unset it unless you are testing")
        }
        if let limit = environment["OPENBLAS_NUM_THREADS"], limit == "1" {
            warnings.append("OPENBLAS_NUM_THREADS=1 has no effect here: Attune runs its own threads")
        }
        if threads > min(processors, processorQuota ?? .max) {
            warnings.append(
                "\(threads) threads are more than this process may keep busy; give a smaller --threads or ATTUNE_THREADS"
            )
        }
        if let free = freeDiskBytes, free < Self.smallDisk {
            warnings.append("less than 5 GB free on the disk of \(folder); make room before a long run")
        } else if let diskProblem {
            warnings.append("the free space of the disk of \(diskProblem)")
        } else if freeDiskBytes == nil {
            warnings.append("\(folder) does not exist; give --corpus a folder to see its disk")
        }
        self.warnings = warnings
    }

    package var text: String {
        let gigabyte = 1e9
        var lines = [
            "attune   \(attune)",
            "system   \(system)",
            "memory   \(formatted(Double(memoryBytes) / gigabyte, digits: 1)) GB"
                + (availableMemoryBytes.map { ", \(formatted(Double($0) / gigabyte, digits: 1)) GB available" } ?? ""),
            "blas     \(blas), core \(blasCore)",
            "vectors  \(vectorLevel), products by \(products), of bfloat16 by \(bfloat16)"
                + (BFloat16Unit.isFast ? "" : ": not faster than float32 here"),
            "threads  \(threads), of \(processors) processors that this process may use"
                + (processorQuota.map { " and the time of \($0)" } ?? ""),
        ]
        lines.append("torch    \(torch.text)")
        if let free = freeDiskBytes {
            lines.append("disk     \(formatted(Double(free) / gigabyte, digits: 1)) GB free")
        }
        for (variable, meaning) in proxies.sorted(by: { $0.key < $1.key }) {
            lines.append("proxy    \(variable): \(meaning)")
        }
        lines += warnings.isEmpty ? ["no problems found"] : warnings.map { "warning  \($0)" }
        return lines.joined(separator: "\n")
    }
}
