import Foundation
package import Tensors

/// Finds the user's PyTorch: the folder of the Python package torch.
package enum TorchFinder {
    /// A place, and who named it.
    package struct Found: Sendable {
        package let folder: String
        package let source: String
    }

    /// - Parameters:
    ///   - named: what `--torch` says: the package's folder, one that holds it, or a virtual environment.
    ///   - environment: of the process.
    /// - Throws: ``Failure`` where there is none.
    package static func find(
        _ named: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Failure) -> Found {
        if let named { return try found(named, "--torch") }
        if let named = environment["ATTUNE_TORCH"], !named.isEmpty { return try found(named, "ATTUNE_TORCH") }
        if let folder = python(environment), isPackage(folder) { return Found(folder: folder, source: "python3") }
        throw Failure(
            "PyTorch was not found: neither --torch nor ATTUNE_TORCH names it, and python3 cannot import torch; install it (pip "
                + "install torch) or give --torch the folder of the Python package torch")
    }

    private static func found(_ place: String, _ source: String) throws(Failure) -> Found {
        let folder = URL(fileURLWithPath: place).standardizedFileURL.path
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/lib")) ?? []
        let places =
            [folder, "\(folder)/torch"]
            + versions.filter { $0.hasPrefix("python3") }.sorted().map { "\(folder)/lib/\($0)/site-packages/torch" }
        if let package = places.first(where: isPackage) { return Found(folder: package, source: source) }
        throw Failure(
            "\(place), which \(source) names, holds no PyTorch (torch/lib/libtorch_cpu.so); give the folder of the Python "
                + "package torch, or the virtual environment that it is installed in")
    }

    private static func isPackage(_ folder: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(folder)/lib/libtorch_cpu.so")
    }

    /// Where python3 would import it from, without importing it.
    private static func python(_ environment: [String: String]) -> String? {
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        guard
            let program = folders.map({ "\($0)/python3" }).first(where: FileManager.default.isExecutableFile(atPath:))
        else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            "-c",
            "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')",
        ]
        let output = Pipe()
        (process.standardOutput, process.standardError) = (output, FileHandle.nullDevice)
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let said = try? output.fileHandleForReading.readToEnd()
        process.waitUntilExit()
        let text = String(decoding: said ?? Data(), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }
}

/// What `--device` asks for.
package struct DeviceChoice: Sendable, Equatable, CustomStringConvertible {
    private enum Part: Sendable, Hashable {
        case one(Device)
        /// Every CUDA device.
        case all
    }

    private let parts: [Part]
    /// What `--torch` says.
    package var torch: String?

    package static let cpu = DeviceChoice(parts: [.one(.cpu)])

    private init(parts: [Part]) { self.parts = parts }

    package var description: String {
        parts.map { part in
            switch part {
            case .one(let device): device.description
            case .all: "cuda:all"
            }
        }.joined(separator: ",")
    }

    /// - Parameter text: `cpu`; or `torch-cpu`, `cuda`, `cuda:1`, several of one kind with commas between, or `cuda:all`.
    /// - Throws: ``UsageError`` for anything else.
    package init(_ text: String) throws(UsageError) {
        var parts: [Part] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let part = Self.part(name) else {
                throw UsageError(
                    "--device is '\(text)'; it takes cpu, torch-cpu, cuda, cuda:N, cuda:all, or several of one kind, as "
                        + "cuda:0,cuda:1")
            }
            guard !parts.contains(part) else { throw UsageError("--device names \(name) twice") }
            parts.append(part)
        }
        let kinds = Set(parts.map { if case .one(.torch(let device)) = $0 { device.kind.rawValue } else { "\($0)" } })
        guard parts.count == 1 || (kinds.count == 1 && !parts.contains(.all) && !parts.contains(.one(.cpu))) else {
            throw UsageError(
                "--device is '\(text)': devices that share out work are of one kind, and each is named once")
        }
        self.init(parts: parts)
    }

    private static func part(_ name: Substring) -> Part? {
        let words = name.split(separator: ":", omittingEmptySubsequences: false)
        if name == "cpu" { return .one(.cpu) }
        guard let kind = words.first.flatMap({ TorchDevice.Kind(rawValue: String($0)) }), words.count <= 2 else {
            return nil
        }
        guard words.count == 2 else { return .one(.torch(TorchDevice(kind))) }
        if words[1] == "all", kind == .cuda { return .all }
        guard let index = Int(words[1]), (0..<64).contains(index) else { return nil }
        return .one(.torch(TorchDevice(kind, index: index)))
    }

    private var isCUDA: Bool {
        parts.allSatisfy { part in
            switch part {
            case .all: true
            case .one(.torch(let device)): device.kind == .cuda
            case .one(.cpu): false
            }
        }
    }

    private func requirePrecision(_ precision: Precision) throws(UsageError) {
        switch precision {
        case .tf32 where !isCUDA:
            throw UsageError(
                "--precision tf32 is a way in which CUDA devices multiply: on --device \(self) use float32 or bfloat16, or "
                    + "give --device cuda")
        case .float16 where self == .cpu:
            throw UsageError(
                "--precision float16 is for devices of PyTorch: on --device cpu use bfloat16, or give --device cuda or torch-cpu"
            )
        default: break
        }
    }

    /// Opens PyTorch where it is needed, and every device.
    ///
    /// - Throws: ``UsageError`` for a precision that the device has not; ``Failure`` where PyTorch was not found,
    ///   ``DeviceError`` where it or a device cannot be used.
    package func open(for precision: Precision) throws -> [Device] {
        try requirePrecision(precision)
        if parts == [.one(.cpu)] { return [.cpu] }
        try TorchLibrary.open(folder: try TorchFinder.find(torch).folder, tf32: precision == .tf32)
        return try parts.flatMap { part throws -> [Device] in
            switch part {
            case .all: return try TorchLibrary.cudaDevices().map { .torch($0) }
            case .one(let device):
                if case .torch(let torch) = device { try TorchLibrary.prepare(torch) }
                return [device]
            }
        }
    }
}
