import Foundation
import Tensors
import TestSupport
import Testing

/// `--device` and what is said of devices that are not there.
@Suite struct DeviceTests {
    private let scratch: Scratch
    private let prompts: String

    init() throws {
        scratch = try Scratch()
        prompts = try scratch.file("prompts.txt", "a star\n")
    }

    private func sample(_ name: String, _ more: [String], environment: [String: String] = [:]) throws -> Outcome {
        try Attune.start(
            [
                "sample", "--model", Attune.model, "--prompts", prompts, "--to", scratch.path(name),
                "--images-per-prompt", "1", "--steps", "2",
            ] + more, environment: environment
        ).wait()
    }

    @Test(arguments: ["gpu", "cuda,cuda", "cpu,cuda", "cuda:x"]) func aWrongNameIsAWrongCommandLine(name: String) throws
    {
        let outcome = try sample("x", ["--device", name])
        #expect(outcome.status == 64 && outcome.errors.contains("--device"), "\(outcome.errors)")
    }

    @Test func float16IsRefusedOnTheCPU() throws {
        let outcome = try sample("x", ["--precision", "float16"])
        #expect(outcome.status == 64 && outcome.errors.contains("on --device cpu use bfloat16"), "\(outcome.errors)")
    }

    @Test func aPlaceWithoutPyTorchIsNamed() throws {
        let outcome = try sample("x", ["--device", "cuda", "--torch", scratch.path("nowhere")])
        #expect(outcome.status == 1 && outcome.failures.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains("nowhere") && outcome.errors.contains("--torch"), "\(outcome.errors)")
        let unnamed = try sample(
            "x", ["--device", "torch-cpu"], environment: ["PATH": "/nonexistent", "ATTUNE_TORCH": ""])
        #expect(unnamed.status == 1 && unnamed.errors.contains("PyTorch was not found"), "\(unnamed.errors)")
    }

    /// What is no library, and a library that is not PyTorch's or is of before its stable ABI.
    @Test func aWheelThatCannotBeUsedIsNamed() throws {
        let folder = scratch.url("torch/lib")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let library = folder.appending(path: "libtorch_cpu.so")
        try Data("no library".utf8).write(to: library)
        let broken = try sample("x", ["--device", "torch-cpu", "--torch", scratch.path("torch")])
        #expect(broken.status == 1 && broken.errors.contains("cannot be loaded"), "\(broken.errors)")
        try FileManager.default.removeItem(at: library)
        // Any library that the system has.
        let other = try #require(
            ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6"].first(
                where: FileManager.default.fileExists(atPath:)))
        try FileManager.default.copyItem(atPath: other, toPath: library.path)
        let old = try sample("x", ["--device", "torch-cpu", "--torch", scratch.path("torch")])
        #expect(old.status == 1 && old.errors.contains("older than PyTorch 2.10"), "\(old.errors)")
        #expect(old.failures.count == 1, "\(old.errors)")
    }

    @Test(.enabled(if: TestDevices.torchFolder != nil, "\(TestDevices.missing)"))
    func imagesAreMadeThere() throws {
        let torch = TestDevices.torchFolder ?? ""
        let cpu = try sample("cpu", [])
        #expect(cpu.status == 0, "\(cpu.errors)")
        let made = try sample("torch", ["--device", "torch-cpu", "--torch", torch])
        #expect(made.status == 0, "\(made.errors)")
        let narrow = try sample("narrow", ["--device", "torch-cpu", "--torch", torch, "--precision", "bfloat16"])
        #expect(narrow.status == 0, "\(narrow.errors)")
        for name in ["torch", "narrow"] {
            let image = scratch.url(name).appending(path: "0001-42.png")
            #expect(FileManager.default.fileExists(atPath: image.path))
        }
        let doctor = try Attune.run("doctor", "--corpus", "/tmp", environment: ["ATTUNE_TORCH": torch])
        #expect(doctor.output.contains("of ATTUNE_TORCH in \(torch): torch-cpu, "), "\(doctor.output)")
    }
}
