import CKernels

/// A 3×3 convolution with stride 1 and padding 1 by Winograd's F(4×4, 3×3): four times fewer products than the direct
/// form, at a relative error near 4·10⁻⁶.
enum Winograd {
    /// Which convolution a kernel is used for.
    enum Direction: Sendable { case forward, backward }

    /// - Parameter side: of the blocks of outputs, in pixels.
    static func suits(
        _ x: Tensor, _ weight: PreparedConvolution, stride: Int, padding: Padding, side: Int = 4
    ) -> Bool {
        guard weight.kernelHeight == 3, weight.kernelWidth == 3, stride == 1, padding == .uniform(1),
            weight.inputChannels.isMultiple(of: 16), weight.outputChannels.isMultiple(of: 16)
        else { return false }
        let (height, width) = (x.shape[1], x.shape[2])
        let covered = (height + side - 1) / side * ((width + side - 1) / side) * side * side
        // A block that hangs over the edge is computed in full. The number of images plays no part, so that an image
        // does not depend on its batch.
        return height * width * 2 >= covered
    }

    /// - Parameters:
    ///   - x: `[N, H, W, in]`; in the backward pass, a gradient `[N, H, W, out]`.
    /// - Returns: `[N, H, W, out]`, or `[N, H, W, in]`.
    static func convolve(_ x: Tensor, _ weight: OpenedKernel, _ direction: Direction, bias: Tensor? = nil) -> Tensor {
        let kernel = Kernel(weight, direction)
        let tiling = WinogradTiling(x.shape, outputs: kernel.columns, side: 4)
        let out = Output(x.shape.dropLast() + [kernel.columns])
        if let planes = weight.keptTransform(direction) {
            convolve(x, planes, tiling, bias: bias, into: out)
        } else {
            convolve(x, kernel, tiling, bias: bias, into: out)
        }
        return out.tensor
    }

    /// With a small kernel: blocks of tiles go through all three stages, and everything stays in the cache.
    private static func convolve(
        _ x: Tensor, _ planes: Tensor, _ tiling: WinogradTiling, bias: Tensor?, into out: Output
    ) {
        let (inputs, outputs) = (tiling.inputs, tiling.outputs)
        Parallel.ranges(tiling.count, grain: tiling.blockTiles) { range in
            // A vector between planes: at a distance of a power of two all 36 would meet in one set of the cache.
            let (plane, productPlane) = (range.count * inputs + 16, range.count * outputs + 16)
            withScratch(36 * (plane + productPlane)) { transformed in
                let products = transformed + 36 * plane
                tiling.transformInput(x, range, into: transformed, plane: plane)
                for index in 0..<36 {
                    RightHandSide(packed: planes.pointer + index * inputs * outputs, inputs, outputs).multiply(
                        Matrix(pointer: transformed + index * plane, stride: inputs), rows: range.count,
                        into: products + index * productPlane, stride: outputs)
                }
                tiling.transformOutput(
                    products, range, stride: outputs, plane: productPlane, channels: 0..<outputs, bias, into: out)
            }
        }
    }

    /// With a large kernel: the tiles are transformed once, and each panel of outputs transforms its part of the kernel
    /// in slices of input channels that stay in the cache while all tiles are multiplied by them.
    private static func convolve(
        _ x: Tensor, _ kernel: Kernel, _ tiling: WinogradTiling, bias: Tensor?, into out: Output
    ) {
        let inputs = tiling.inputs
        for range in tiling.groups {
            let plane = range.count * inputs + 16
            let transformed = Output([36 * plane])
            Parallel.ranges(range.count, grain: 4) { part in
                let first = range.lowerBound + part.lowerBound
                tiling.transformInput(
                    x, first..<first + part.count, into: transformed.pointer + part.lowerBound * inputs, plane: plane)
            }
            // With many threads, several of them share a panel, and each transforms its part of the kernel. OpenBLAS's sums depend
            // on the number of rows.
            let pieces =
                RightHandSide.usesPanels ? Parallel.pieces(kernel.panelCount, most: range.count / leastPiece) : 1
            let group = range
            Parallel.forEach(kernel.panelCount * pieces) { index in
                let (panel, piece) = index.quotientAndRemainder(dividingBy: pieces)
                let offset = group.count * piece / pieces
                let range = group.lowerBound + offset..<group.lowerBound + group.count * (piece + 1) / pieces
                let width = kernel.width(panel)
                let productPlane = range.count * width + 16
                let slice = kernel.slice
                withScratch(36 * (slice * width + productPlane)) { scratch in
                    let products = scratch + 36 * slice * width
                    for first in stride(from: 0, to: inputs, by: slice) {
                        let rows = first..<min(first + slice, inputs)
                        kernel.transform(panel, rows: rows, into: scratch, plane: slice * width)
                        for index in 0..<36 {
                            RightHandSide(packed: scratch + index * slice * width, rows.count, width).multiply(
                                Matrix(
                                    pointer: transformed.pointer + index * plane + offset * inputs + first,
                                    stride: inputs),
                                rows: range.count, accumulating: first > 0, into: products + index * productPlane,
                                stride: width)
                        }
                    }
                    tiling.transformOutput(
                        products, range, stride: width, plane: productPlane,
                        channels: panel * 32..<panel * 32 + width, bias, into: out)
                }
            }
        }
    }

    /// Tiles for which it is worth a twentieth of their products to transform a kernel once more.
    private static let leastPiece = 24

    /// A kernel as the right-hand side of 36 products, transformed in pieces.
    struct Kernel: Sendable {
        private let weight: OpenedKernel
        private let direction: Direction
        let rows, columns: Int

        init(_ weight: OpenedKernel, _ direction: Direction) {
            (self.weight, self.direction) = (weight, direction)
            let (inputs, outputs) = (weight.inputChannels, weight.outputChannels)
            (rows, columns) = direction == .forward ? (inputs, outputs) : (outputs, inputs)
        }

        /// Rows that are transformed together. OpenBLAS adds slices up in another order than it adds up a whole
        /// product, so there a small kernel that is kept in 16 bits goes in one piece, as it does where its transform
        /// is kept.
        var slice: Int {
            RightHandSide.usesPanels || rows * columns > PathSizes.keptWinogradKernel ? PathSizes.winogradSlice : rows
        }

        var panelCount: Int { (columns + 31) / 32 }
        func width(_ panel: Int) -> Int { columns - panel * 32 > 16 ? 32 : 16 }

        /// Some rows (a multiple of 16) of one panel of columns, in 36 planes `[rows, width]`.
        func transform(_ panel: Int, rows range: Range<Int>, into out: UnsafeMutablePointer<Float>, plane: Int) {
            let width = width(panel)
            switch direction {
            case .forward:
                ck_winograd_kernel(
                    weight.panels.pointer + (panel * 32 * rows + range.lowerBound * width) * 9, width, range.count,
                    out, plane)
            case .backward:
                ck_winograd_rotated_kernel(
                    weight.panels.pointer, columns, rows, panel * 32, width, range.lowerBound, range.count, out, plane)
            }
        }
    }
}

extension WinogradTiling {
    fileprivate func transformInput(_ x: Tensor, _ range: Range<Int>, into out: UnsafeMutablePointer<Float>, plane: Int)
    {
        for (row, tile) in range.enumerated() {
            let place = place(tile)
            ck_winograd_input(
                x.pointer + place.image * height * width * inputs, Int32(height), Int32(width), Int32(inputs),
                Int32(place.y - 1), Int32(place.x - 1), out + row * inputs, plane)
        }
    }

    fileprivate func transformOutput(
        _ products: UnsafeMutablePointer<Float>, _ range: Range<Int>, stride: Int, plane: Int, channels: Range<Int>,
        _ bias: Tensor?, into out: Output
    ) {
        for (row, tile) in range.enumerated() {
            let place = place(tile)
            ck_winograd_output(
                products + row * stride, plane, Int32(height), Int32(width), Int32(outputs), Int32(channels.count),
                Int32(place.y), Int32(place.x), bias.map { $0.pointer + channels.lowerBound },
                out.pointer + place.image * height * width * outputs + channels.lowerBound)
        }
    }
}
