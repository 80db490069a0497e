import CKernels

/// A 3×3 convolution with stride 1 and padding 1 by Winograd's F(2×2, 3×3) with products of brain floats: 2.25 times fewer
/// than the direct form.
enum PairWinograd {
    /// - Parameters:
    ///   - x: `[N, H, W, in]`; in the backward pass, a gradient `[N, H, W, out]`.
    /// - Returns: `[N, H, W, out]`, or `[N, H, W, in]`.
    static func convolve(
        _ x: Tensor, _ kernel: PairKernel, _ direction: Winograd.Direction, bias: Tensor? = nil
    ) -> Tensor {
        let columns = direction == .forward ? kernel.outputs : kernel.inputs
        let tiling = WinogradTiling(x.shape, outputs: columns, side: 2)
        let out = Output(x.shape.dropLast() + [columns])
        if let planes = kernel.keptTransform(direction) {
            convolve(x, planes.pointer.pairs, tiling, bias: bias, into: out)
            withExtendedLifetime(planes) {}
        } else if tiling.count >= PathSizes.pairWinogradTiles {
            withScratch(16 * tiling.inputs * columns / 2) { planes in
                kernel.transform(direction, into: planes.pairs)
                convolve(x, planes.pairs, tiling, bias: bias, into: out)
            }
        } else {
            convolve(x, kernel, direction, tiling, bias: bias, into: out)
        }
        return out.tensor
    }

    /// With a transformed kernel: blocks of tiles go through all three stages.
    private static func convolve(
        _ x: Tensor, _ planes: UnsafePointer<UInt32>, _ tiling: WinogradTiling, bias: Tensor?, into out: Output
    ) {
        let (inputs, outputs) = (tiling.inputs, tiling.outputs)
        nonisolated(unsafe) let planes = planes
        Parallel.ranges(tiling.count, grain: tiling.blockTiles) { range in
            // A vector between planes: at a distance of a power of two all would meet in one set of the cache.
            let (plane, productPlane) = (range.count * inputs / 2 + 16, range.count * outputs + 16)
            withScratch(16 * (plane + productPlane)) { scratch in
                let products = scratch + 16 * plane
                tiling.roundInput(x, range, into: scratch.pairs, plane: plane)
                for index in 0..<16 {
                    RightHandSide(pairs: planes + index * inputs * outputs / 2, inputs, outputs).multiply(
                        .pairs(PairMatrix(pointer: scratch.pairs + index * plane, stride: inputs / 2)),
                        rows: range.count, into: products + index * productPlane, stride: outputs)
                }
                tiling.gatherOutput(
                    products, range, stride: outputs, plane: productPlane, channels: 0..<outputs, bias, into: out)
            }
        }
    }

    /// With a large kernel that meets few tiles: these are transformed once, and each panel of outputs transforms its
    /// part of the kernel.
    private static func convolve(
        _ x: Tensor, _ kernel: PairKernel, _ direction: Winograd.Direction, _ tiling: WinogradTiling, bias: Tensor?,
        into out: Output
    ) {
        let (inputs, count) = (tiling.inputs, tiling.count)
        let plane = count * inputs / 2 + 16
        let transformed = Output([16 * plane])
        Parallel.ranges(count, grain: 4) { range in
            tiling.roundInput(
                x, range, into: transformed.pointer.pairs + range.lowerBound * inputs / 2, plane: plane)
        }
        Parallel.forEach((tiling.outputs + 31) / 32) { panel in
            let width = tiling.outputs - panel * 32 > 16 ? 32 : 16
            let (kernelPlane, productPlane) = (inputs / 2 * width + 16, count * width + 16)
            withScratch(16 * (kernelPlane + productPlane)) { scratch in
                let products = scratch + 16 * kernelPlane
                kernel.transform(panel, direction, into: scratch.pairs, plane: kernelPlane)
                for index in 0..<16 {
                    RightHandSide(pairs: scratch.pairs + index * kernelPlane, inputs, width).multiply(
                        .pairs(
                            PairMatrix(pointer: transformed.pointer.pairs + index * plane, stride: inputs / 2)),
                        rows: count, into: products + index * productPlane, stride: width)
                }
                tiling.gatherOutput(
                    products, 0..<count, stride: width, plane: productPlane,
                    channels: panel * 32..<panel * 32 + width, bias, into: out)
            }
        }
    }
}

extension WinogradTiling {
    fileprivate func roundInput(
        _ x: Tensor, _ range: Range<Int>, into out: UnsafeMutablePointer<UInt32>, plane: Int
    ) {
        for (row, tile) in range.enumerated() {
            let place = place(tile)
            ck_pair_winograd_input(
                x.pointer + place.image * height * width * inputs, Int32(height), Int32(width), Int32(inputs),
                Int32(place.y - 1), Int32(place.x - 1), out + row * inputs / 2, plane)
        }
    }

    fileprivate func gatherOutput(
        _ products: UnsafeMutablePointer<Float>, _ range: Range<Int>, stride: Int, plane: Int, channels: Range<Int>,
        _ bias: Tensor?, into out: Output
    ) {
        for (row, tile) in range.enumerated() {
            let place = place(tile)
            ck_pair_winograd_output(
                products + row * stride, plane, Int32(height), Int32(width), Int32(outputs), Int32(channels.count),
                Int32(place.y), Int32(place.x), bias.map { $0.pointer + channels.lowerBound },
                out.pointer + place.image * height * width * outputs + channels.lowerBound)
        }
    }
}
