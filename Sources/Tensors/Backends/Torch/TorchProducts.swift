extension TorchBackend {
    // MARK: Matrices

    func matmul(_ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool) -> Tensor {
        // The factor with fewer digits decides: it is the frozen weight, or what came out of one.
        let dtype = a.dtype == .float32 ? b.backend == nil ? a.dtype : b.dtype : a.dtype
        let (left, right) = (take(a, as: dtype), take(b, as: dtype))
        let value = call(
            "aten::mm", .tensor(transposeA ? permute(left, [1, 0]) : left),
            .tensor(transposeB ? permute(right, [1, 0]) : right))
        return give(value, [transposeA ? a.shape[1] : a.shape[0], transposeB ? b.shape[0] : b.shape[1]])
    }

    func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor {
        let value = call(
            "aten::linear", .tensor(take(x, as: weight.dtype)), .tensor(take(weight)),
            .optional(bias.map { take($0, as: weight.dtype) }))
        return give(value, x.shape.dropLast() + [weight.shape[0]])
    }

    // MARK: Convolutions
    //
    // Images and kernels lie channels last; PyTorch sees them channels first through permuted views.

    func kernel(_ oihw: Tensor) -> Tensor {
        let shape = [0, 2, 3, 1].map { oihw.shape[$0] }
        return give(permute(take(oihw), [0, 2, 3, 1]), shape)
    }

    /// Whether sides of a product may have fewer digits than float32.
    private func mayRound(_ kernel: Tensor) -> Bool { kernel.dtype != .float32 || TorchLibrary.opened?.hasTF32 == true }

    private func channelsFirst(_ x: TorchTensor) -> TorchTensor { permute(x, [0, 3, 1, 2]) }
    private func channelsLast(_ x: TorchTensor) -> TorchTensor { permute(x, [0, 2, 3, 1]) }

    /// What PyTorch pads by, the same on both sides; the rest is put around the image before.
    private func padded(_ x: TorchTensor, _ padding: Padding) -> (image: TorchTensor, padding: [Int]) {
        if padding.top == padding.bottom, padding.left == padding.right { return (x, [padding.top, padding.left]) }
        let sides = [padding.left, padding.right, padding.top, padding.bottom]
        return (call("aten::pad", .tensor(x), .ints(sides), .text("constant"), .none), [0, 0])
    }

    func convolution(_ x: Tensor, kernel: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) -> Tensor {
        let (image, padding) = padded(channelsFirst(take(x, as: kernel.dtype)), geometry.padding)
        let weight = channelsFirst(take(kernel))
        let bias = bias.map { take($0, as: kernel.dtype) }
        let strides = [geometry.stride, geometry.stride]
        let value: TorchTensor
        if takesCUDAOps {
            // The same op with its switches: no search for the fastest algorithm, the same bits in every run.
            value = call(
                "aten::_convolution", .tensor(image), .tensor(weight), .optional(bias), .ints(strides), .ints(padding),
                .ints([1, 1]), .flag(false), .ints([0, 0]), .int(1), .flag(false), .flag(true), .flag(true),
                .flag(mayRound(kernel)))
        } else {
            value = call(
                "aten::convolution", .tensor(image), .tensor(weight), .optional(bias), .ints(strides), .ints(padding),
                .ints([1, 1]), .flag(false), .ints([0, 0]), .int(1))
        }
        return give(channelsLast(value), geometry.outputShape)
    }

    func convolutionInputGradient(_ gradient: Tensor, kernel: Tensor, _ geometry: ConvolutionGeometry) -> Tensor {
        let weight = channelsFirst(take(kernel))
        let slope = channelsFirst(take(gradient, as: kernel.dtype))
        let padding = geometry.padding
        let isEven = padding.top == padding.bottom && padding.left == padding.right
        let (height, width) = (
            geometry.height + (isEven ? 0 : padding.top + padding.bottom),
            geometry.width + (isEven ? 0 : padding.left + padding.right)
        )
        let sides = isEven ? [padding.top, padding.left] : [0, 0]
        var image: TorchTensor
        if takesCUDAOps {
            // The transposed convolution is the same map, and has the switch for the same bits in every run.
            let left = [
                height + 2 * sides[0] - geometry.kernelHeight - (geometry.outHeight - 1) * geometry.stride,
                width + 2 * sides[1] - geometry.kernelWidth - (geometry.outWidth - 1) * geometry.stride,
            ]
            image = call(
                "aten::_convolution", .tensor(slope), .tensor(weight), .none,
                .ints([geometry.stride, geometry.stride]), .ints(sides), .ints([1, 1]), .flag(true), .ints(left),
                .int(1),
                .flag(false), .flag(true), .flag(true), .flag(mayRound(kernel)))
        } else {
            // Of the input, its sizes and layout alone count.
            let input = empty(
                [geometry.images, geometry.inputs, height, width],
                strides: [height * width * geometry.inputs, 1, width * geometry.inputs, geometry.inputs], kernel.dtype)
            image =
                call(
                    "aten::convolution_backward", "",
                    [
                        .tensor(slope), .tensor(input), .tensor(weight), .none,
                        .ints([geometry.stride, geometry.stride]),
                        .ints(sides), .ints([1, 1]), .flag(false), .ints([0, 0]), .int(1),
                        .flags([true, false, false]),
                    ], results: 3)[0] ?? TorchTensor(self, nil)
        }
        if !isEven {
            image = slice(image, 2, padding.top..<padding.top + geometry.height)
            image = slice(image, 3, padding.left..<padding.left + geometry.width)
        }
        return give(channelsLast(image), geometry.inputShape)
    }

    func convolutionKernelGradient(
        _ gradient: Tensor, _ x: Tensor, kernel: Tensor, _ geometry: ConvolutionGeometry
    ) -> Tensor {
        let (image, padding) = padded(channelsFirst(take(x, as: kernel.dtype)), geometry.padding)
        if takesCUDAOps {
            return kernelGradient(channelsFirst(take(gradient, as: kernel.dtype)), image, padding: padding, geometry)
        }
        let made =
            call(
                "aten::convolution_backward", "",
                [
                    .tensor(channelsFirst(take(gradient, as: kernel.dtype))), .tensor(image),
                    .tensor(channelsFirst(take(kernel))), .none, .ints([geometry.stride, geometry.stride]),
                    .ints(padding), .ints([1, 1]), .flag(false), .ints([0, 0]), .int(1), .flags([false, true, false]),
                ], results: 3)[1] ?? TorchTensor(self, nil)
        return give(made, [geometry.outputs, geometry.inputs, geometry.kernelHeight, geometry.kernelWidth])
    }

    /// By plain products of gradients and windows, one image at a time: CUDA's own op has no switch against TF32, nor for the
    /// same bits in every run.
    private func kernelGradient(
        _ slope: TorchTensor, _ image: TorchTensor, padding: [Int], _ geometry: ConvolutionGeometry
    ) -> Tensor {
        let (height, width) = (geometry.kernelHeight, geometry.kernelWidth)
        var total: TorchTensor?
        for sample in 0..<geometry.images {
            let windows = call(
                "aten::im2col", .tensor(slice(image, 0, sample..<sample + 1)), .ints([height, width]), .ints([1, 1]),
                .ints(padding), .ints([geometry.stride, geometry.stride]))
            let part = call(
                "aten::mm",
                .tensor(reshape(slice(slope, 0, sample..<sample + 1), [geometry.outputs, geometry.pixels])),
                .tensor(permute(reshape(windows, [geometry.columns, geometry.pixels]), [1, 0])))
            total = total.map { sum($0, part) } ?? part
        }
        let shape = [geometry.outputs, geometry.inputs, height, width]
        return give(reshape(total ?? zeros(shape, image.dtype), shape), shape)
    }

    // MARK: Attention

    /// `[N, L, C]` as `[N, heads, L, C / heads]`.
    private func split(_ x: Tensor, _ heads: Int) -> TorchTensor {
        permute(reshape(take(x), [x.shape[0], x.shape[1], heads, x.channels / heads]), [0, 2, 1, 3])
    }

    private func joined(_ x: TorchTensor, _ shape: [Int]) -> Tensor {
        // Of permuted views PyTorch's reshape makes a copy where it must.
        give(reshape(permute(x, [0, 2, 1, 3]), shape), shape)
    }

    func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool) -> [Tensor] {
        let parts = [q, k, v].map { TorchArgument.tensor(split($0, heads)) }
        guard !takesCUDAOps else {
            let out = call(
                "aten::scaled_dot_product_attention", "",
                parts + [.none, .number(0), .flag(causal), .none, .flag(false)],
                results: 1)[0]
            return [joined(out ?? TorchTensor(self, nil), q.shape)]
        }
        let made = call(
            "aten::_scaled_dot_product_flash_attention_for_cpu", "", parts + [.number(0), .flag(causal), .none, .none],
            results: 2
        ).map { $0 ?? TorchTensor(self, nil) }
        return [joined(made[0], q.shape), give(made[1], [q.shape[0], heads, q.shape[1]])]
    }

    func attentionVJP(
        _ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, kept: [Tensor], heads: Int, causal: Bool
    ) -> [Tensor?] {
        guard !takesCUDAOps, kept.count == 2 else {
            return attentionVJP(gradient, q, k, v, heads: heads, causal: causal)
        }
        let made = call(
            "aten::_scaled_dot_product_flash_attention_for_cpu_backward", "",
            [gradient, q, k, v, kept[0]].map { .tensor(split($0, heads)) } + [
                .tensor(take(kept[1])), .number(0), .flag(causal), .none, .none,
            ], results: 3
        ).map { $0 ?? TorchTensor(self, nil) }
        return [joined(made[0], q.shape), joined(made[1], k.shape), joined(made[2], v.shape)]
    }

    /// By plain products, whose bits are the same in every run, as those of CUDA's fused backward pass are not. With P the
    /// probabilities: dV = Pᵀ·dO, dS = softmax's VJP of dO·Vᵀ, dQ = dS·K/√d, dK = dSᵀ·Q/√d. One sample at a time: P is as
    /// large as an image's pixels squared.
    func attentionVJP(
        _ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool
    ) -> [Tensor?] {
        let scale = 1 / Float(q.channels / heads).squareRoot()
        let (rows, columns) = (q.shape[1], k.shape[1])
        let mask = (0..<(causal ? rows * columns : 0)).map { $0 % columns > $0 / columns ? -Float.infinity : 0 }
        let hidden = causal ? converted(floats(mask, [rows, columns]), to: q.dtype) : nil
        let (dq, dk, dv) = (empty(q.shape, q.dtype), empty(k.shape, k.dtype), empty(v.shape, v.dtype))
        for sample in 0..<q.shape[0] {
            func part(_ x: Tensor) -> TorchTensor {
                let one = sliced(x, sample..<sample + 1, .batch)
                return reshape(split(one, heads), [heads, x.shape[1], x.channels / heads])
            }
            func across(_ x: TorchTensor) -> TorchTensor { permute(x, [0, 2, 1]) }
            func times(_ a: TorchTensor, _ b: TorchTensor) -> TorchTensor { call("aten::bmm", .tensor(a), .tensor(b)) }
            let (queries, keys, values, slope) = (part(q), part(k), part(v), part(gradient))
            // Scaled before the product, which in float16 could overflow.
            let seen = times(product(queries, scale), across(keys))
            let p = call(
                "aten::_softmax", .tensor(hidden.map { sum(seen, $0) } ?? seen), .int(-1), .flag(false))
            let ds = product(
                call(
                    "aten::_softmax_backward_data", .tensor(times(slope, across(values))), .tensor(p), .int(-1),
                    .dtype(q.dtype)), scale)
            let made = [(dq, times(ds, keys)), (dk, times(across(ds), queries)), (dv, times(across(p), slope))]
            for (whole, value) in made {
                let target = slice(whole, 0, sample..<sample + 1)
                let rows = reshape(permute(value, [1, 0, 2]), target.sizes)
                write(rows, to: target)
            }
        }
        return [give(dq, q.shape), give(dk, k.shape), give(dv, v.shape)]
    }
}
