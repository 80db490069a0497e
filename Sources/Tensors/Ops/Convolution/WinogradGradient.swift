import CKernels

/// What a 3×3 kernel with stride 1 and padding 1 is trained by, as the transpose of Winograd's F(4×4, 3×3): windows of the
/// input and blocks of the output's gradient are transformed, multiplied in 36 planes with sums over all tiles, and the
/// sums transformed back to nine taps. A quarter of the products of im2col.
extension ConvolutionGeometry {
    /// Whether ``winogradWeightGradient(_:_:)`` takes this convolution and saves work.
    var suitsWinogradGradient: Bool {
        guard kernelHeight == 3, kernelWidth == 3, stride == 1, padding == .uniform(1), inputs.isMultiple(of: 16),
            outputs.isMultiple(of: 16), inputs * outputs <= PathSizes.winogradGradientKernel
        else { return false }
        let tiles = (height + 3) / 4 * ((width + 3) / 4)
        // A block that hangs over the edge is computed in full; and the sums, four times a kernel, take time of their own.
        return height * width * 2 >= tiles * 16 && images * tiles >= PathSizes.winogradGradientTiles
    }

    /// OIHW, as the parameter is.
    func winogradWeightGradient(_ gradient: Tensor, _ x: Tensor) -> Tensor {
        let tiling = WinogradTiling(x.shape, outputs: outputs, side: 4)
        // A vector between planes: at a distance of a power of two all 36 would meet in one set of the cache.
        let sumPlane = inputs * outputs + 16
        let out = Output([outputs, inputs, 3, 3])
        withScratch(36 * sumPlane) { sums in
            nonisolated(unsafe) let sums = sums
            let group = tiling.gradientGroup
            for first in Swift.stride(from: 0, to: tiling.count, by: group) {
                let range = first..<min(first + group, tiling.count)
                addProducts(gradient, x, tiling, range, adding: first > 0, into: sums, plane: sumPlane)
            }
            Parallel.ranges(inputs / 16, grain: 1) { range in
                for block in range {
                    ck_winograd_kernel_gradient(sums, sumPlane, inputs, outputs, block * 16, out.pointer)
                }
            }
        }
        return out.tensor
    }

    /// Adds what some tiles give to the sums in 36 planes `[in, out]`.
    private func addProducts(
        _ gradient: Tensor, _ x: Tensor, _ tiling: WinogradTiling, _ range: Range<Int>, adding: Bool,
        into sums: UnsafeMutablePointer<Float>, plane: Int
    ) {
        nonisolated(unsafe) let sums = sums
        let tiles = range.count
        let (windowPlane, blockPlane) = (tiles * inputs + 16, tiles * outputs + 16)
        withScratch(36 * (windowPlane + blockPlane)) { windows in
            nonisolated(unsafe) let (windows, blocks) = (windows, windows + 36 * windowPlane)
            Parallel.ranges(tiles, grain: 8) { part in
                for row in part {
                    let place = tiling.place(range.lowerBound + row)
                    ck_winograd_input(
                        x.pointer + place.image * height * width * inputs, Int32(height), Int32(width), Int32(inputs),
                        Int32(place.y - 1), Int32(place.x - 1), windows + row * inputs, windowPlane)
                    // In panels, as the right-hand side of a product lies.
                    for first in Swift.stride(from: 0, to: outputs, by: 32) {
                        let panel = outputs - first > 16 ? 32 : 16
                        ck_winograd_gradient(
                            gradient.pointer + place.image * height * width * outputs + first, Int32(height),
                            Int32(width), Int32(outputs), Int32(panel), Int32(place.y), Int32(place.x),
                            blocks + first * tiles + row * panel, blockPlane)
                    }
                }
            }
            Parallel.forEach(36) { index in
                RightHandSide(packed: blocks + index * blockPlane, tiles, outputs).multiply(
                    Matrix(pointer: windows + index * windowPlane, stride: inputs, transposed: true), rows: inputs,
                    accumulating: adding, into: sums + index * plane, stride: outputs)
            }
        }
    }
}

extension WinogradTiling {
    /// Tiles whose transforms are in memory together for the weight gradient: what the third-level cache holds, and so many
    /// at least that adding to the sums is a small part of the work.
    fileprivate var gradientGroup: Int { max(PathSizes.winogradGradientGroup / (36 * (inputs + outputs)), 128) }
}
