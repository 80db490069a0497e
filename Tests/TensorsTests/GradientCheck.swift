import Tensors
import TestSupport
import Testing

/// Compares the tape with central differences along random directions: d/dε f(x + ε·u) against ⟨∇f, u⟩.
///
/// - Parameters:
///   - inputs: shapes of the op's inputs; each is filled with reproducible values of about unit size.
///   - onHost: whether the op computes in host memory wherever its operands are.
///   - op: the op under test; its result is reduced to a scalar by fixed random weights.
func checkGradients(
    _ inputs: [[Int]], tolerance: Double = 1e-2, seed: UInt64 = 1, onHost: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ op: ([Tensor]) -> Tensor
) {
    let values = inputs.enumerated().map { index, shape in
        CounterGenerator(seed: seed, stream: UInt64(index)).normal(shape)
    }
    let parameters = values.map(Tensor.parameter)
    let output = op(parameters)
    let weights = CounterGenerator(seed: seed, stream: 100).normal(output.shape)
    let loss = meanSquaredError(output, weights)
    let found = gradients(of: loss, for: parameters)
    if let device = TestDevices.torch {
        check(
            device, values, op, weights, output: output, place: onHost ? .cpu : device, gradients: found, sourceLocation
        )
    }
    func value(_ tensors: [Tensor]) -> Double {
        let out = op(tensors).values
        return zip(out, weights.values).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
            / Double(out.count)
    }
    for index in inputs.indices {
        for direction in 0..<3 {
            let u = CounterGenerator(seed: seed + 7, stream: UInt64(10 * index + direction)).normal(inputs[index])
            let step: Float = 5e-3
            func moved(_ sign: Float) -> [Tensor] {
                var all = values
                all[index] = values[index] + u * (sign * step)
                return all
            }
            let numeric = (value(moved(1)) - value(moved(-1))) / Double(2 * step)
            let analytic = zip(found[index].values, u.values).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            // A loss near 1 has an error of about 1e-7, which the step makes 1e-5 of its slope.
            let scale = max(abs(numeric), abs(analytic), 2e-3)
            #expect(
                abs(numeric - analytic) / scale < tolerance,
                "input \(index), direction \(direction): \(analytic) against \(numeric)",
                sourceLocation: sourceLocation)
        }
    }
}

/// Compares an op's value and gradients on a device with those of the CPU.
private func check(
    _ device: Device, _ values: [Tensor], _ op: ([Tensor]) -> Tensor, _ weights: Tensor, output: Tensor,
    place: Device, gradients expected: [Tensor], _ sourceLocation: SourceLocation
) {
    let parameters = values.map(Tensor.parameter)
    let there = op(parameters.map { $0.moved(to: device) })
    #expect(there.shape == output.shape && (there.device == place || there.count == 1), sourceLocation: sourceLocation)
    #expect(relativeError(there.values, output.values) < 1e-5, "on \(device)", sourceLocation: sourceLocation)
    let found = gradients(of: meanSquaredError(there, weights), for: parameters)
    for (index, gradient) in found.enumerated() {
        let error = relativeError(gradient.values, expected[index].values)
        #expect(error < 1e-4, "gradient of input \(index) on \(device)", sourceLocation: sourceLocation)
    }
    #expect(device.failure == nil, sourceLocation: sourceLocation)
}

/// ‖a − b‖ / ‖b‖.
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    let difference = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    let size = b.reduce(0.0) { $0 + Double($1) * Double($1) }
    return (difference / max(size, 1e-30)).squareRoot()
}
