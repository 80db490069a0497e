import ArgumentParser
import Diffusion
import Foundation
import Tensors
import Tuning
import Workflows

/// A whole UNet as Benchmarks/peers/unet.py wrote it: the right output, then times.
struct UNetBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unet", abstract: "Forward pass and DoRA step of a folder written by peers/unet.py.")

    @Argument(help: "The folder, with unet/ and io-SIZE.safetensors.") var folder: String
    @Option(parsing: .upToNextOption, help: "Sides of the latents.") var latents = [64]
    @Option(help: "Runs to take the median of.") var runs = 3
    @Flag(help: "Time a DoRA step too.") var train = false
    @Flag(help: "A LoRA step in place of the DoRA step.") var lora = false
    @Flag(help: "Leave the forward pass out.") var noForward = false

    @Flag(help: "Keep 16-bit weights so.") var lowMemory = false
    @Option(help: "What products are computed in, as attune's --precision.") var precision = Precision.float32
    @Option(help: "Where it computes, as attune's --device.", transform: { try DeviceChoice($0) })
    var device = DeviceChoice.cpu
    @Option(help: "The folder of the Python package torch.") var torch: String?

    func run() throws {
        let root = URL(fileURLWithPath: folder)
        var choice = device
        choice.torch = torch
        let unet = try UNet2DConditionModel(
            folder: root.appendingPathComponent("unet"), lowMemory: lowMemory, precision: precision,
            device: try choice.open(for: precision)[0])
        for size in latents {
            let io = try ForwardExample(root.appendingPathComponent("io-\(size).safetensors"))
            if !noForward { try forward(unet, io, size) }
            if train { try step(unet, io, size) }
        }
    }

    private func forward(_ unet: UNet2DConditionModel, _ io: ForwardExample, _ size: Int) throws {
        var output = io.output
        let times = times(runs) {
            // In host memory, where a device has finished.
            output = unet(io.sample, timesteps: io.timesteps, text: io.text, added: io.added).moved(to: .cpu)
        }
        var line = Measurement(
            "unet forward\(precision.suffix)", times, relativeError: relativeError(output, io.output))
        line.latent = size
        try line.print()
    }

    /// Forward and backward pass with gradient checkpointing, clipping and AdamW, batch 1, rank 32.
    private func step(_ unet: UNet2DConditionModel, _ io: ForwardExample, _ size: Int) throws {
        var adapter = try Adapter(
            initializing: lora ? .lora : .dora, rank: 32, alpha: 32, targets: .attentionAndFeedForward,
            for: unet.linears, seed: 1)
        var optimizer = AdamW(settings: .init(), shapes: adapter.parameters.map(\.value.shape))
        let squares = adapter.weightSquares(unet.linears)
        let (sample, target) = (io.sample.batch(0..<1), io.sample.batch(1..<2))
        let text = io.text.batch(0..<1)
        let added = io.added.map { AddedConditions(pooled: $0.pooled.batch(0..<1), timeIDs: [$0.timeIDs[0]]) }
        let times = times(runs) {
            let parameters = adapter.parameters.map { Tensor.parameter($0.value) }
            let bound = adapter.replacing(parameters).bound(to: unet.linears, weightSquares: squares)
            let output = unet(
                sample, timesteps: [io.timesteps[0]], text: text, added: added,
                in: ForwardContext(adapters: bound, checkpointing: true))
            let found = gradients(of: meanSquaredError(output, target), for: parameters)
            let clip = clipFactor(norm: globalNorm(found), limit: 1)
            adapter = adapter.replacing(
                optimizer.update(parameters.map(\.detached), gradients: found, clip: clip))
        }
        var line = Measurement("\(lora ? "LoRA" : "DoRA") step\(precision.suffix)", times)
        line.latent = size
        try line.print()
    }
}

/// Inputs and output of one forward pass, as peers/unet.py keeps them.
private struct ForwardExample {
    let sample, output, text: Tensor
    let timesteps: [Float]
    let added: AddedConditions?

    init(_ url: URL) throws {
        let file = try SafetensorsFile(url)
        sample = try file.tensor("sample").channelsLast
        output = try file.tensor("out").channelsLast
        text = try file.tensor("context")
        timesteps = try file.integers("timestep").map(Float.init)
        guard file.names.contains("time_ids") else {
            added = nil
            return
        }
        let ids = try file.tensor("time_ids")
        let numbers = ids.values
        added = AddedConditions(
            pooled: try file.tensor("text_embeds"),
            timeIDs: (0..<ids.shape[0]).map { Array(numbers[$0 * ids.channels..<($0 + 1) * ids.channels]) })
    }
}

/// ‖a − b‖ / ‖b‖
func relativeError(_ a: Tensor, _ b: Tensor) -> Double {
    let difference = a - b
    return (squares(difference) / squares(b)).squareRoot()
}

private func squares(_ x: Tensor) -> Double { x.values.reduce(0) { $0 + Double($1) * Double($1) } }
