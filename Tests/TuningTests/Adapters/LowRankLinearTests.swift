import Diffusion
import Tensors
import Testing
import Tuning

/// A layer, an adapter for it and an input, all random.
private struct Setting {
    static let (rows, inputs, outputs, rank) = (7, 12, 10, 3)
    let scale: Float = 1.75
    let base: Linear
    let x: Tensor
    let down: Tensor
    let up: Tensor
    let magnitude: Tensor
    /// What the output is compared with: loss = ‖y − target‖² / n.
    let target: Tensor

    init(bias: Bool = true) {
        let (inputs, outputs, rank) = (Self.inputs, Self.outputs, Self.rank)
        base = Linear(
            path: "layer", weight: randomTensor([outputs, inputs], seed: 1, scale: 0.3),
            bias: bias ? randomTensor([outputs], seed: 2) : nil)
        x = randomTensor([1, Self.rows, inputs], seed: 3)
        down = randomTensor([rank, inputs], seed: 4, scale: 0.5)
        up = randomTensor([outputs, rank], seed: 5, scale: 0.5)
        magnitude = randomTensor([outputs], seed: 6)
        target = randomTensor([1, Self.rows, outputs], seed: 7)
    }

    func dora(down: Tensor, up: Tensor, magnitude: Tensor, normFrom frozen: (Tensor, Tensor)) -> DoRALinear {
        // The norm is detached: finite differences must hold it where it was.
        DoRALinear(
            AdapterLayer(down: down, up: up, magnitude: magnitude), magnitude: magnitude, scale: scale,
            norm: adaptedRowNorms(
                weight: base.prepared, weightSquares: rowSquares(base.weight), down: frozen.0, up: frozen.1,
                scale: scale))
    }

    func loss(x: Tensor, down: Tensor, up: Tensor, magnitude: Tensor) -> Tensor {
        let layer = dora(down: down, up: up, magnitude: magnitude, normFrom: (self.down, self.up))
        return meanSquaredError(layer(x, base: base), target)
    }

    /// W + sBA, row-major.
    var sum: [[Double]] {
        (0..<Self.outputs).map { row in
            (0..<Self.inputs).map { column in
                var value = Double(base.weight.values[row * Self.inputs + column])
                for r in 0..<Self.rank {
                    value +=
                        Double(scale) * Double(up.values[row * Self.rank + r])
                        * Double(down.values[r * Self.inputs + column])
                }
                return value
            }
        }
    }
}

@Suite struct LowRankLinearTests {
    @Test func normsMatchTheDenseMatrix() {
        let setting = Setting()
        let norms = adaptedRowNorms(
            weight: setting.base.prepared, weightSquares: rowSquares(setting.base.weight), down: setting.down,
            up: setting.up, scale: setting.scale)
        let dense = setting.sum.map { Float($0.map { $0 * $0 }.reduce(0, +).squareRoot()) }
        #expect(relativeError(norms.values, dense) < 1e-6)
    }

    @Test(arguments: [true, false]) func doraMatchesTheExplicitFormula(bias: Bool) {
        let setting = Setting(bias: bias)
        let layer = setting.dora(
            down: setting.down, up: setting.up, magnitude: setting.magnitude, normFrom: (setting.down, setting.up))
        var expected: [Float] = []
        for row in 0..<Setting.rows {
            for (output, weights) in setting.sum.enumerated() {
                let length = weights.map { $0 * $0 }.reduce(0, +).squareRoot()
                var value = 0.0
                for (column, weight) in weights.enumerated() {
                    value += weight * Double(setting.x.values[row * Setting.inputs + column])
                }
                value *= Double(setting.magnitude.values[output]) / length
                expected.append(Float(value) + (setting.base.bias?.values[output] ?? 0))
            }
        }
        let result = layer(setting.x, base: setting.base)
        #expect(result.shape == [1, Setting.rows, Setting.outputs])
        #expect(relativeError(result.values, expected) < 1e-5)
        #expect(!result.requiresGradient)
    }

    @Test func doraGradientsMatchFiniteDifferences() {
        let setting = Setting()
        let inputs = [setting.x, setting.down, setting.up, setting.magnitude]
        func loss(_ values: [Tensor]) -> Tensor {
            setting.loss(x: values[0], down: values[1], up: values[2], magnitude: values[3])
        }
        let parameters = inputs.map { Tensor.parameter($0) }
        let found = gradients(of: loss(parameters), for: parameters)
        for which in inputs.indices {
            let numeric = finiteDifferences(inputs[which]) { changed in
                var values = inputs
                values[which] = changed
                return loss(values).values[0]
            }
            #expect(relativeError(found[which].values, numeric) < 5e-3, "input \(which)")
        }
    }

    @Test func loraGradientsMatchFiniteDifferences() {
        let setting = Setting()
        let inputs = [setting.x, setting.down, setting.up]
        func loss(_ values: [Tensor]) -> Tensor {
            let layer = LoRALinear(
                AdapterLayer(down: values[1], up: values[2], magnitude: nil), scale: setting.scale)
            return meanSquaredError(layer(values[0], base: setting.base), setting.target)
        }
        let parameters = inputs.map { Tensor.parameter($0) }
        let found = gradients(of: loss(parameters), for: parameters)
        for which in inputs.indices {
            let numeric = finiteDifferences(inputs[which]) { changed in
                var values = inputs
                values[which] = changed
                return loss(values).values[0]
            }
            #expect(relativeError(found[which].values, numeric) < 5e-3, "input \(which)")
        }
    }

    @Test func aFreshAdapterChangesNothing() throws {
        let setting = Setting()
        let linears = ["block.attn1.to_q": setting.base]
        for kind in AdapterKind.allCases {
            let adapter = try Adapter(
                initializing: kind, rank: 3, alpha: 6, targets: .attention, for: linears, seed: 5)
            let layer = try #require(adapter.bound(to: linears)["block.attn1.to_q"])
            let plain = linear(setting.x, setting.base.weight, bias: setting.base.bias)
            #expect(relativeError(layer(setting.x, base: setting.base).values, plain.values) < 1e-6)
        }
    }

    @Test func foldedWeightsGiveTheSameOutput() throws {
        let setting = Setting()
        let layer = AdapterLayer(down: setting.down, up: setting.up, magnitude: setting.magnitude)
        let adapter = Adapter(
            kind: .dora, rank: Setting.rank, alpha: setting.scale * Float(Setting.rank), targetModules: ["to_q"],
            layers: ["a.to_q": layer])
        let linears = ["a.to_q": setting.base]
        let folded = try adapter.fold(setting.base.weight, at: "a.to_q", of: .unet)
        let bound = try #require(adapter.bound(to: linears)["a.to_q"])
        let expected = bound(setting.x, base: setting.base)
        #expect(
            relativeError(linear(setting.x, folded, bias: setting.base.bias).values, expected.values) < 1e-5)
        let other = try adapter.fold(setting.base.weight, at: "a.to_k", of: .unet)
        #expect(other.values == setting.base.weight.values)
    }

    private func finiteDifferences(_ x: Tensor, _ f: (Tensor) -> Float) -> [Float] {
        let step: Float = 1e-2
        let values = x.values
        return values.indices.map { index in
            var (plus, minus) = (values, values)
            plus[index] += step
            minus[index] -= step
            let above = f(Tensor(shape: x.shape, values: plus))
            let below = f(Tensor(shape: x.shape, values: minus))
            return (above - below) / (2 * step)
        }
    }
}
