import Tensors

/// What `doctor` finds out about PyTorch.
package struct TorchReport: Encodable, Sendable {
    /// The package's folder; nil where there is none, or none that can be used.
    package let folder: String?
    /// Who named it: --torch, ATTUNE_TORCH or python3.
    package let source: String?
    package let version: String?
    /// Devices of CUDA that compute.
    package let cudaDevices: Int
    /// Why there is no PyTorch, or no CUDA; nil where all is there.
    package let problem: String?

    init(environment: [String: String]) {
        var (folder, source, version, devices, problem): (String?, String?, String?, Int, String?) = (
            nil, nil, nil, 0, nil
        )
        do {
            let found = try TorchFinder.find(nil, environment: environment)
            let opened = try TorchLibrary.open(folder: found.folder)
            (folder, source) = (found.folder, found.source)
            version = opened.version + (opened.isKnown ? "" : " (newer than what was tried)")
            devices = try TorchLibrary.cudaDevices().count
        } catch { problem = "\(error)" }
        (self.folder, self.source, self.version) = (folder, source, version)
        (cudaDevices, self.problem) = (devices, problem)
    }

    var text: String {
        guard let folder, let version else { return "no device but the CPU: \(problem ?? "")" }
        return "\(version), of \(source ?? "") in \(folder): torch-cpu, "
            + (problem ?? "\(cudaDevices) CUDA device\(cudaDevices == 1 ? "" : "s")")
    }
}
