import CKernels

extension PreparedLinear {
    /// W + up·down with its rows brought to given lengths: the weight of a layer with an adapter, for as long as that stays
    /// the same.
    ///
    /// - Parameters:
    ///   - down: `[r, in]`.
    ///   - up: `[out, r]`.
    ///   - lengths: `[out]`, the length of each row.
    /// - Returns: the weight, and `[out]`, what its rows were multiplied by; nil where products read no panels, or
    ///   panels of brain floats, to which a small change could be lost.
    func merged(down: Tensor, up: Tensor, rowLengths lengths: Tensor) -> (weight: PreparedLinear, gain: Tensor)? {
        precondition(
            up.shape == [outputs, down.shape[0]] && down.shape[1] == inputs && lengths.shape == [outputs],
            "factors of shape \(up.shape) and \(down.shape) for a weight of shape \([outputs, inputs])")
        guard RightHandSide.usesPanels, case .values(let packed, _) = layout else { return nil }
        let rank = down.shape[0]
        let (sum, gain) = (Output([ck_gemm_packed_size(inputs, outputs)]), Output([outputs]))
        withExtendedLifetime(packed.wide) { packed in
            withScratch(RightHandSide.packedCount(rank, outputs)) { scratch in
                let factor = Matrix(pointer: up.pointer, stride: rank, transposed: true)
                let right = RightHandSide(packing: factor, rank, outputs, into: scratch)
                let left = Matrix(pointer: down.pointer, stride: inputs, transposed: true)
                Parallel.forEach(right.panelCount) { index in
                    let first = index * RightHandSide.panelWidth
                    let width = outputs - first > 16 ? RightHandSide.panelWidth : 16
                    let panel = sum.pointer + first * inputs
                    panel.update(from: packed.pointer + first * inputs, count: inputs * width)
                    // A panel of Wᵀ is a matrix [in, width], to which downᵀ·upᵀ adds its columns.
                    right.multiply(
                        left, rows: inputs, panels: index..<index + 1, accumulating: true, into: panel - first,
                        stride: width)
                    ck_panel_lengths(
                        panel, inputs, width, outputs - first, lengths.pointer + first, gain.pointer + first)
                }
            }
        }
        return (PreparedLinear(panels: sum.tensor, outputs: outputs, inputs: inputs), gain.tensor)
    }
}
