import Diffusion
import Foundation
import Tensors
import Testing

/// Gradients through a UNet whose frozen weights are brain floats.
@Suite("Gradients in bfloat16")
struct PrecisionGradientTests {
    private struct Change: LinearAdapter {
        let down, up: Tensor

        func callAsFunction(_ x: Tensor, base: Linear) -> Tensor {
            lowRankLinear(x, base.prepared, bias: base.bias, down: down, up: up, scale: 1)
        }
    }

    private func gradient(_ precision: Precision, checkpointing: Bool) throws -> [Tensor] {
        let golden = try Goldens.file("sd21-mini")
        let unet = try UNet2DConditionModel(
            Weights(tensors: Goldens.tensors("sd21-mini", "unet"), precision: precision),
            Goldens.configuration(UNetConfiguration.self, "sd21-mini", "unet"))
        // The first layer that sees the text: its gradient passes through all that follow.
        let path = try #require(unet.linears.keys.filter { $0.hasSuffix("attn1.to_q") }.min())
        let layer = try #require(unet.linears[path])
        let draws = CounterGenerator(seed: 3, stream: 1)
        let down = Tensor.parameter(draws.normal([4, layer.prepared.inputs]) * 0.1)
        let up = Tensor.parameter(
            CounterGenerator(seed: 3, stream: 2).normal([layer.prepared.outputs, 4]) * 0.1)
        let out = unet(
            try golden.tensor("unet.sample").channelsLast,
            timesteps: try golden.integers("unet.timestep").map(Float.init), text: try golden.tensor("unet.context"),
            in: ForwardContext(adapters: [path: Change(down: down, up: up)], checkpointing: checkpointing))
        let target = CounterGenerator(seed: 3, stream: 3).normal(out.shape)
        return gradients(of: meanSquaredError(out, target), for: [down, up])
    }

    @Test func followThoseOfFloat32() throws {
        let expected = try gradient(.float32, checkpointing: false)
        let got = try gradient(.bfloat16, checkpointing: false)
        for (a, b) in zip(got, expected) {
            let error = relativeError(a, b)
            #expect(error < 5e-2 && error > 1e-4, "\(error)")
        }
        let again = try gradient(.bfloat16, checkpointing: true)
        for (a, b) in zip(again, got) { #expect(relativeError(a, b) < 1e-5) }
    }
}
