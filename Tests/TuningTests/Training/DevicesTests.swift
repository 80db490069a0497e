import Diffusion
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
        let half = RunComputer.current(precision: .float16, device: .torch(TorchDevice(.cpu)))
        for other in [torch, .current(precision: .bfloat16, device: .torch(TorchDevice(.cpu)))] {
            #expect(!half.computesLike(other))
        }
        #expect(!torch.computesLike(.current(precision: .bfloat16, device: .torch(TorchDevice(.cpu)))))
    }

    private func gradients(
        _ precision: Precision, share: Double = 1
    ) throws -> (loss: Double, gradients: [Tensor]) {
        let model = try TinyModel.load(on: .torch(TorchDevice(.cpu)), precision: precision)
        let fresh = try Adapter(
            initializing: .dora, rank: 2, alpha: 4, targets: .attention, for: model.unet.linears, seed: 0)
        func drawn(_ shape: [Int], _ stream: Int) -> Tensor {
            CounterGenerator(seed: 6, stream: UInt64(stream)).normal(shape)
        }
        // Neither factor is 0, as B is at the start.
        let parameters = fresh.parameters.enumerated().map { place, parameter in
            Tensor.parameter(parameter.value + drawn(parameter.value.shape, 10 + place) * 0.02)
        }
        let adapter = fresh.replacing(parameters)
        let policies = Policies(current: Network(model.unet, adapters: adapter.bound(to: model.unet.linears)))
        let batch = TrainingBatch(
            latents: drawn([2, 16, 16, 4], 0), noise: drawn([2, 16, 16, 4], 1), timesteps: [100, 700],
            text: PromptEmbedding.batch(model.encode(prompts: ["a red circle", "three green stars"])))
        return DenoisingObjective(NoisingProcess(model.scheduler)).lossAndGradients(
            batch, policies, parameters: parameters, share: share)
    }

    /// The loss is scaled, so that gradients do not vanish, however little a batch counts for in a step.
    @Test func gradientsInFloat16AreThoseOfFloat32() throws {
        let (expected, found) = (try gradients(.float32), try gradients(.float16))
        #expect(abs(found.loss - expected.loss) < 1e-3 * expected.loss, "\(found.loss) against \(expected.loss)")
        let error = relativeError(found.gradients.flatMap(\.values), expected.gradients.flatMap(\.values))
        #expect(error < 1e-2 && error > 1e-5, "\(error)")
        let small = try gradients(.float16, share: 0x1p-12)
        for (a, b) in zip(small.gradients, found.gradients) { #expect((a * 0x1p12).values == b.values) }
    }

    @Test func aRunInFloat16FollowsOneInFloat32() throws {
        let wide = try train("wide", devices: 1, accumulate: 1)
        #expect(try train("half", devices: 1, accumulate: 1, precision: .float16) != wide)
        func losses(_ name: String) throws -> [Double] {
            try RunLog.read(run(name).log).compactMap { if case .step(let step) = $0 { step.loss } else { nil } }
        }
        let pairs = zip(try losses("half"), try losses("wide"))
        #expect(pairs.allSatisfy { abs($0 - $1) < 1e-2 * $1 } && Array(pairs).count == 3)
    }

    @Test func whatOverflowsInFloat16IsNamed() throws {
        let model = try TinyModel.load(on: .torch(TorchDevice(.cpu)), precision: .float16)
        var configuration = TrainingConfiguration()
        (configuration.kind, configuration.rank, configuration.alpha, configuration.steps) = (.lora, 2, 4, 1)
        (configuration.batch, configuration.accumulate) = (1, 1)
        let fresh = try Adapter(
            initializing: .lora, rank: 2, alpha: 4, targets: configuration.targets, for: model.unet.linears, seed: 0)
        var inputs = TrainingInputs(
            model: model, source: MemorySource(), configuration: configuration, run: run("vast"))
        inputs.start = fresh.replacing(fresh.parameters.map { Tensor(filled: 3e4, shape: $0.value.shape) })
        let error = #expect(throws: TrainingError.self) { try Trainer(inputs).train() }
        let text = error?.description ?? ""
        #expect(text.contains("step 1") && text.contains("--precision bfloat16"), "\(text)")
        let first = try #require(model.unet.linears.keys.filter { text.contains("first seen in \($0))") }.first)
        #expect(first.contains("attn1"), "\(text)")
    }
}
