import Foundation
import Tensors
import TestSupport
import Testing
import Tuning

/// Runs on PyTorch's devices.
@Suite(.serialized, .enabled(if: TestDevices.torch != nil, "\(TestDevices.missing)")) struct DevicesTests {
    private let corpus: TemporaryFolder

    init() throws { corpus = try TemporaryFolder() }

    private func run(_ name: String) -> RunFolder { RunFolder(corpus: corpus.url, name: name) }

    private func train(_ name: String, devices: Int, accumulate: Int, precision: Precision = .float32) throws -> Data {
        var configuration = TrainingConfiguration()
        (configuration.rank, configuration.alpha, configuration.steps) = (2, 4, 3)
        (configuration.batch, configuration.accumulate, configuration.checkpointEvery) = (2, accumulate, 1)
        configuration.optimizer.learningRate = 1e-3
        let models = try (0..<devices).map {
            try TinyModel.load(on: .torch(TorchDevice(.cpu, index: $0)), precision: precision)
        }
        var inputs = TrainingInputs(
            model: models[0], source: MemorySource(), configuration: configuration, run: run(name))
        inputs.replicas = Array(models.dropFirst())
        #expect(try Trainer(inputs).train().isFinished)
        return try Data(contentsOf: run(name).adapter)
    }

    @Test(arguments: [3, 4]) func anyNumberOfDevicesGivesTheSameBytes(accumulate: Int) throws {
        let one = try train("one", devices: 1, accumulate: accumulate)
        for devices in [2, 3] {
            #expect(try train("of\(devices)", devices: devices, accumulate: accumulate) == one, "\(devices) devices")
            // The log too: losses, gradients and timesteps of every step.
            let (whole, shared) = (try RunLog.read(run("one").log), try RunLog.read(run("of\(devices)").log))
            #expect(shared == whole)
        }
    }

    @Test func anotherDeviceIsAnotherComputer() {
        let (cpu, torch) = (RunComputer.current(), RunComputer.current(device: .torch(TorchDevice(.cpu))))
        #expect(!cpu.computesLike(torch))
        // Which of several it is counts nothing.
        #expect(torch.computesLike(.current(device: .torch(TorchDevice(.cpu, index: 1)))))
        #expect(!torch.computesLike(.current(precision: .bfloat16, device: .torch(TorchDevice(.cpu)))))
    }
}
