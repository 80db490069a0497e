import CKernels

/// A 3×3 convolution with stride 1 and padding 1 by Winograd's F(4×4, 3×3): four times fewer products than the direct
/// form, at a relative error near 4·10⁻⁶.
enum Winograd {
    static func suits(_ x: Tensor, _ weight: Conv2DWeight, stride: Int, padding: Padding) -> Bool {
        guard weight.kernelHeight == 3, weight.kernelWidth == 3, stride == 1, padding == .uniform(1),
            weight.inputChannels.isMultiple(of: 16), weight.outputChannels.isMultiple(of: 16)
        else { return false }
        let (height, width) = (x.shape[1], x.shape[2])
        let covered = (height + 3) / 4 * ((width + 3) / 4) * 16
        // A block that hangs over the edge is computed whole; a kernel transformed for few pixels costs more than it
        // saves.
        let pixels = x.shape[0] * height * width
        return height * width * 2 >= covered && pixels >= 128
    }

    /// - Parameters:
    ///   - x: `[N, H, W, in]`.
    ///   - kernel: `[36, in, out]`, each of the 36 packed as a right-hand side.
    /// - Returns: `[N, H, W, out]`.
    static func convolve(_ x: Tensor, kernel: Tensor, bias: Tensor?) -> Tensor {
        let plan = Plan(x: x, kernel: kernel, bias: bias)
        let out = Output([plan.images, plan.height, plan.width, plan.outputs])
        // Small kernels stay in cache while blocks of tiles pass; for large ones all tiles pass each plane at once.
        if plan.tiles >= 4 * Plan.blockTiles, plan.inputs * plan.outputs <= 640 * 640 {
            Parallel.ranges(plan.tiles, grain: Plan.blockTiles) { range in
                withScratch(36 * range.count * plan.inputs) { transformed in
                    withScratch(36 * range.count * plan.outputs) { products in
                        plan.transformInput(range, into: transformed, tiles: range.count)
                        for plane in 0..<36 { plan.multiply(plane, transformed, into: products, tiles: range.count) }
                        plan.transformOutput(range, from: products, tiles: range.count, into: out)
                    }
                }
            }
        } else {
            let transformed = Output([36, plan.tiles, plan.inputs])
            let products = Output([36, plan.tiles, plan.outputs])
            Parallel.ranges(plan.tiles, grain: 4) { range in
                plan.transformInput(
                    range, into: transformed.pointer + range.lowerBound * plan.inputs, tiles: plan.tiles)
            }
            Parallel.forEach(36) {
                plan.multiply($0, transformed.pointer, into: products.pointer, tiles: plan.tiles)
            }
            Parallel.ranges(plan.tiles, grain: 4) { range in
                plan.transformOutput(
                    range, from: products.pointer + range.lowerBound * plan.outputs, tiles: plan.tiles, into: out)
            }
        }
        return out.tensor
    }

    private struct Plan: Sendable {
        static let blockTiles = 64

        let x: Tensor
        let kernel: Tensor
        let bias: Tensor?
        let images, height, width, inputs, outputs: Int
        let tileColumns, tilesAnImage, tiles: Int

        init(x: Tensor, kernel: Tensor, bias: Tensor?) {
            (self.x, self.kernel, self.bias) = (x, kernel, bias)
            (images, height, width, inputs) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
            outputs = kernel.shape[2]
            tileColumns = (width + 3) / 4
            tilesAnImage = (height + 3) / 4 * tileColumns
            tiles = images * tilesAnImage
        }

        /// The image of a tile and the first pixel of its block.
        private func place(_ tile: Int) -> (image: Int, y: Int, x: Int) {
            let (image, index) = tile.quotientAndRemainder(dividingBy: tilesAnImage)
            return (image, index / tileColumns * 4, index % tileColumns * 4)
        }

        func transformInput(_ range: Range<Int>, into out: UnsafeMutablePointer<Float>, tiles: Int) {
            for (row, tile) in range.enumerated() {
                let place = place(tile)
                ck_winograd_input(
                    x.pointer + place.image * height * width * inputs, Int32(height), Int32(width), Int32(inputs),
                    Int32(place.y - 1), Int32(place.x - 1), out + row * inputs, tiles * inputs)
            }
        }

        func multiply(
            _ plane: Int, _ transformed: UnsafeMutablePointer<Float>, into products: UnsafeMutablePointer<Float>,
            tiles: Int
        ) {
            let size = inputs * outputs
            RightHandSide(packed: kernel.pointer + plane * size, inputs, outputs).multiply(
                Matrix(pointer: transformed + plane * tiles * inputs, stride: inputs), rows: tiles,
                into: products + plane * tiles * outputs, stride: outputs)
        }

        func transformOutput(
            _ range: Range<Int>, from products: UnsafeMutablePointer<Float>, tiles: Int, into out: Output
        ) {
            for (row, tile) in range.enumerated() {
                let place = place(tile)
                ck_winograd_output(
                    products + row * outputs, tiles * outputs, Int32(height), Int32(width), Int32(outputs),
                    Int32(place.y), Int32(place.x), bias?.pointer,
                    out.pointer + place.image * height * width * outputs)
            }
        }
    }
}
