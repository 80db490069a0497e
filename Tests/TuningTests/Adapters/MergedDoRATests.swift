import Diffusion
import Tensors
import Testing
import Tuning

/// A DoRA layer with a weight of its own against the layer that adds two narrow products.
@Suite(.enabled(if: VectorLevel.hasOwnProducts)) struct MergedDoRATests {
    @Test(arguments: [(10, 12, 3), (40, 72, 16), (130, 33, 8)], [true, false])
    func computesWhatTheNarrowProductsDo(sizes: (outputs: Int, inputs: Int, rank: Int), bias: Bool) throws {
        let base = Linear(
            path: "layer", weight: randomTensor([sizes.outputs, sizes.inputs], seed: 1, scale: 0.3),
            bias: bias ? randomTensor([sizes.outputs], seed: 2) : nil)
        let inputs = [
            randomTensor([2, 9, sizes.inputs], seed: 3), randomTensor([sizes.rank, sizes.inputs], seed: 4, scale: 0.5),
            randomTensor([sizes.outputs, sizes.rank], seed: 5, scale: 0.5),
            Tensor(filled: 1.5, shape: [sizes.outputs]) + randomTensor([sizes.outputs], seed: 6, scale: 0.2),
        ]
        let target = randomTensor([2, 9, sizes.outputs], seed: 7)
        func run(_ make: (AdapterLayer, Tensor) throws -> any LinearAdapter) rethrows -> [Tensor] {
            let values = inputs.map { Tensor.parameter($0) }
            let layer = try make(AdapterLayer(down: values[1], up: values[2], magnitude: values[3]), values[3])
            let output = layer(values[0], base: base)
            return [output] + gradients(of: meanSquaredError(output, target), for: values)
        }
        let merged = try run { layer, magnitude in
            try #require(MergedDoRALinear(layer, magnitude: magnitude, scale: 1.75, base: base.prepared))
        }
        let narrow = run { layer, magnitude in
            let norm = adaptedRowNorms(
                weight: base.prepared, weightSquares: rowSquares(base.weight), down: layer.down, up: layer.up,
                scale: 1.75
            )
            return DoRALinear(layer, magnitude: magnitude, scale: 1.75, norm: norm)
        }
        for (name, pair) in zip(["y", "dx", "dA", "dB", "dm"], zip(merged, narrow)) {
            #expect(pair.0.shape == pair.1.shape)
            #expect(relativeError(pair.0.values, pair.1.values) < 1e-5, "\(name)")
        }
    }

    @Test func largeLayersAndVanishingRowsAreLeftAlone() {
        func layer(_ size: Int, magnitude: Float) -> MergedDoRALinear? {
            let magnitude = Tensor(filled: magnitude, shape: [size])
            let layer = AdapterLayer(
                down: randomTensor([4, size], seed: 1), up: randomTensor([size, 4], seed: 2), magnitude: magnitude)
            return MergedDoRALinear(
                layer, magnitude: magnitude, scale: 1, base: PreparedLinear(randomTensor([size, size], seed: 3)))
        }
        #expect(layer(48, magnitude: 1) != nil)
        #expect(layer(64, magnitude: 1) == nil)
        #expect(layer(48, magnitude: 0) == nil)
        #expect(layer(48, magnitude: 1e-3) == nil)
    }
}
