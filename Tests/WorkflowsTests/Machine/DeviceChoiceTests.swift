import Foundation
import TestSupport
import Tensors
import Testing
import Workflows

@Suite struct DeviceChoiceTests {
    @Test(arguments: ["cpu", "torch-cpu", "cuda", "cuda:3", "cuda:0,cuda:1", "torch-cpu,torch-cpu:1", "cuda:all"])
    func isRead(text: String) throws {
        let normal = text.replacing("cuda:0", with: "cuda")
        #expect(try DeviceChoice(text).description == normal)
    }

    @Test(arguments: [
        "", "gpu", "cpu:0", "cuda:-1", "cuda:x", "cuda:64", "cuda:1:2", "cuda,", "cuda,cuda", "cpu,cuda",
        "cuda,torch-cpu",
        "cuda:all,cuda:0", "torch-cpu:all", "mps",
    ])
    func isRefused(text: String) {
        #expect(throws: UsageError.self) { try DeviceChoice(text) }
    }

    @Test func theCPUNeedsNoPyTorch() throws {
        #expect(try DeviceChoice("cpu").open(for: .bfloat16) == [.cpu])
        #expect(DeviceChoice.cpu.description == "cpu")
    }

    /// Before PyTorch is looked for.
    @Test(arguments: [("cpu", Precision.float16), ("cpu", .tf32), ("torch-cpu", .tf32)])
    func aPrecisionThatTheDeviceLacksIsRefused(device: String, precision: Precision) throws {
        let choice = try DeviceChoice(device)
        let error = #expect(throws: UsageError.self) { try choice.open(for: precision) }
        #expect(error?.description.hasPrefix("--precision \(precision.rawValue) is") == true)
    }

    @Test func aPlaceWithoutPyTorchIsNamed() throws {
        let scratch = try Scratch()
        let places: [(named: String?, environment: [String: String])] = [
            (scratch.url("x").path, [:]), (nil, ["ATTUNE_TORCH": scratch.url("y").path]),
        ]
        for (named, environment) in places {
            do {
                _ = try TorchFinder.find(named, environment: environment)
                Issue.record("found where there is none")
            } catch {
                #expect(error.description.contains(named ?? "ATTUNE_TORCH"), "\(error)")
            }
        }
        #expect(throws: Failure.self) { try TorchFinder.find(nil, environment: ["PATH": "/nonexistent"]) }
    }

    /// The package's folder, the one that holds it, and a virtual environment.
    @Test func isFoundInSeveralPlaces() throws {
        let scratch = try Scratch()
        let package = scratch.url("venv").appending(path: "lib/python3.11/site-packages/torch")
        try FileManager.default.createDirectory(
            at: package.appending(path: "lib"), withIntermediateDirectories: true)
        try Data().write(to: package.appending(path: "lib/libtorch_cpu.so"))
        for place in [package, package.deletingLastPathComponent(), scratch.url("venv")] {
            #expect(try TorchFinder.find(place.path, environment: [:]).folder == package.path)
        }
        // Which is no library.
        #expect(throws: DeviceError.self) { try TorchLibrary.open(folder: package.path) }
    }
}
