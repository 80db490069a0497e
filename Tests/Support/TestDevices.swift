import Foundation
package import Tensors

/// Devices that tests of the engine run on: the CPU, and PyTorch's where it is installed.
package enum TestDevices {
    /// The folder of the Python package torch: what `ATTUNE_TORCH` names, or that of the tests' own environment.
    package static let torchFolder: String? = {
        if let named = ProcessInfo.processInfo.environment["ATTUNE_TORCH"] { return named }
        let root = Repository.root.appending(path: ".venv/lib")
        let found = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return found.map { root.appending(path: "\($0)/site-packages/torch").path }
            .first { FileManager.default.fileExists(atPath: $0 + "/lib/libtorch_cpu.so") }
    }()

    /// PyTorch's device that is tested, opened: its kernels for processors, or what `ATTUNE_TEST_DEVICE` names (cuda). Nil where
    /// there is no PyTorch, and where it cannot be opened.
    package static let torch: Device? = {
        let name = ProcessInfo.processInfo.environment["ATTUNE_TEST_DEVICE"] ?? TorchDevice.Kind.cpu.rawValue
        guard let kind = TorchDevice.Kind(rawValue: name), let torchFolder,
            (try? TorchLibrary.open(folder: torchFolder)) != nil, (try? TorchLibrary.prepare(TorchDevice(kind))) != nil
        else { return nil }
        return .torch(TorchDevice(kind))
    }()

    package static let all: [Device] = [.cpu] + [torch].compactMap { $0 }

    /// What a skipped test says.
    package static let missing = "no PyTorch 2.10 or newer: ATTUNE_TORCH names the folder of the package torch"
}
