import Diffusion
import Foundation
import Tensors
import Testing
import Tuning

/// The Swift half of Tests/Interop/adapter_interop.py, which sets ATTUNE_INTEROP to its working folder.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["ATTUNE_INTEROP"] != nil)) struct AdapterInteropTests {
    private let work = URL(fileURLWithPath: ProcessInfo.processInfo.environment["ATTUNE_INTEROP"] ?? "/")

    private func inputs(_ folder: URL) throws -> (sample: Tensor, timesteps: [Float], text: Tensor, out: Tensor) {
        let file = try SafetensorsFile(folder.appendingPathComponent("io.safetensors"))
        return (
            try file.tensor("sample"), try file.tensor("timesteps").values, try file.tensor("context"),
            try file.tensor("out")
        )
    }

    @Test(arguments: ["dora", "lora"]) func adaptersOfPEFTGiveItsOutput(kind: String) throws {
        let folder = work.appendingPathComponent("peft-\(kind)")
        let x = try inputs(folder)
        let adapter = try AdapterFile.read(folder.appendingPathComponent(AdapterFile.name))
        #expect(adapter.kind.rawValue == kind && adapter.alpha == 6 && adapter.rank == 4)
        let unet = try TinyModel.load().unet
        try adapter.validate(against: unet.linears)
        let applied = unet(
            x.sample.channelsLast, timesteps: x.timesteps, text: x.text,
            in: ForwardContext(adapters: adapter.bound(to: unet.linears)))
        #expect(relativeError(applied.channelsFirst.values, x.out.values) < 1e-4)
        let folded = try DiffusionModel.load(from: TinyModel.folder, adapter: adapter).unet(
            x.sample.channelsLast, timesteps: x.timesteps, text: x.text, in: ForwardContext())
        #expect(relativeError(folded.channelsFirst.values, x.out.values) < 1e-4)
    }

    @Test(arguments: AdapterKind.allCases) func adaptersForDiffusersAreWritten(kind: AdapterKind) throws {
        let folder = work.appendingPathComponent("attune-\(kind.rawValue)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let x = try inputs(work.appendingPathComponent("peft-\(kind.rawValue)"))
        let unet = try TinyModel.load().unet
        var adapter = try Adapter(
            initializing: kind, rank: 3, alpha: 5, targets: .attentionAndFeedForward, for: unet.linears, seed: 1)
        adapter = adapter.replacing(
            adapter.parameters.enumerated().map { index, parameter in
                let noise = randomTensor(parameter.value.shape, seed: UInt64(index), scale: 0.05)
                return parameter.value + noise
            })
        try AdapterFile.write(adapter, to: folder.appendingPathComponent(AdapterFile.name))
        let out = unet(
            x.sample.channelsLast, timesteps: x.timesteps, text: x.text,
            in: ForwardContext(adapters: adapter.bound(to: unet.linears)))
        let tensors = [
            "sample": x.sample, "context": x.text, "out": out.channelsFirst,
            "timesteps": Tensor(shape: [x.timesteps.count], values: x.timesteps),
        ]
        try SafetensorsWriter.data(tensors).write(to: folder.appendingPathComponent("io.safetensors"))
    }
}
