import Diffusion
package import Tensor

extension Adapter: WeightFolding {
    /// W' = m/‖W + sBA‖·(W + sBA) for DoRA, W + sBA for LoRA; other layers stay as they are.
    ///
    /// Folding happens once at load, where the weight is copied anyway.
    package func fold(path: String, weight: Tensor) -> Tensor {
        guard let layer = layers[path] else { return weight }
        let sum = weight + matmul(layer.up, layer.down) * scale
        guard let magnitude = layer.magnitude else { return sum }
        let gain = quotient(magnitude, rowNorms(squared: rowSquares(sum)))
        let columns = weight.shape[1]
        return Tensor(shape: weight.shape) { out in
            sum.withValues { sum in
                gain.withValues { gain in
                    for row in 0..<gain.count {
                        for index in row * columns..<(row + 1) * columns { out[index] = sum[index] * gain[row] }
                    }
                }
            }
        }
    }
}
