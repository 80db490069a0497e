/// Statistics, scale and shift are in float32 whatever the values are: in 16 bits a mean far from 0 would lose what lies near it.
extension TorchBackend {
    /// `[N, …, C]` as PyTorch's group norm takes it, channels first: for processors over channels-last memory; for CUDA,
    /// whose kernels read no such memory and keep statistics in the type of the values, in a copy of float32.
    private func images(_ x: Tensor) -> (image: TorchTensor, pixels: Int) {
        let samples = x.shape[0]
        let pixels = x.rows / max(samples, 1)
        let sides = x.shape.count == 4 ? Array(x.shape[1...2]) : [pixels, 1]
        let image = permute(reshape(take(x), [samples] + sides + [x.channels]), [0, 3, 1, 2])
        return (takesCUDAOps ? rowMajor(image, as: .float32) : image, pixels)
    }

    private func rows(_ x: TorchTensor, like tensor: Tensor) -> Tensor {
        let rows = permute(x, [0, 2, 3, 1])
        return give(x.dtype == tensor.dtype ? rows : rowMajor(rows, as: tensor.dtype), tensor.shape)
    }

    func groupNorm(
        _ x: Tensor, groups: Int, scale: Tensor, shift: Tensor, epsilon: Float, activation: Activation
    ) -> NormResult {
        let (image, pixels) = images(x)
        let made = normalized(image, x, pixels, groups: groups, scale: scale, shift: shift, epsilon: epsilon)
        let value = activation == .silu ? call("aten::silu", .tensor(made[0])) : made[0]
        let shape = [x.shape[0], groups]
        return NormResult(
            value: rows(value, like: x),
            statistics: .init(mean: give(made[1], shape), inverse: give(made[2], shape)))
    }

    private func normalized(
        _ image: TorchTensor, _ x: Tensor, _ pixels: Int, groups: Int, scale: Tensor, shift: Tensor, epsilon: Float
    ) -> [TorchTensor] {
        call(
            "aten::native_group_norm", "",
            [
                .tensor(image), .optional(take(scale, as: .float32)), .optional(take(shift, as: .float32)),
                .int(x.shape[0]), .int(x.channels), .int(pixels), .int(groups), .number(Double(epsilon)),
            ], results: 3
        ).map { $0 ?? TorchTensor(self, nil) }
    }

    func groupNormVJP(
        _ gradient: Tensor, _ x: Tensor, groups: Int, scale: Tensor, shift: Tensor, _ statistics: NormResult.Statistics,
        activation: Activation, needsParameters: Bool
    ) -> [Tensor?] {
        let (image, pixels) = images(x)
        var slope = images(gradient).image
        if activation == .silu {
            // What the activation saw is made again: (x − mean)/σ·scale + shift.
            let groupSize = x.channels / groups
            func perChannel(_ value: Tensor) -> TorchTensor {
                let one = reshape(take(value), [x.shape[0], groups, 1])
                let all = call("aten::expand", .tensor(one), .ints([x.shape[0], groups, groupSize]), .flag(false))
                return reshape(all, [x.shape[0], x.channels, 1, 1])
            }
            let gain = product(perChannel(statistics.inverse), reshape(take(scale), [1, x.channels, 1, 1]))
            let offset = sum(
                reshape(take(shift), [1, x.channels, 1, 1]), product(perChannel(statistics.mean), gain), factor: -1)
            let seen = converted(sum(product(image, gain), offset), to: image.dtype)
            slope = call("aten::silu_backward", .tensor(slope), .tensor(seen))
        }
        let made = call(
            "aten::native_group_norm_backward", "",
            [
                .tensor(slope), .tensor(image), .tensor(take(statistics.mean)), .tensor(take(statistics.inverse)),
                .optional(take(scale, as: .float32)), .int(x.shape[0]), .int(x.channels), .int(pixels), .int(groups),
                .flags([true, needsParameters, needsParameters]),
            ], results: 3)
        return [
            rows(made[0] ?? TorchTensor(self, nil), like: x), made[1].map { give($0, [x.channels]) },
            made[2].map { give($0, [x.channels]) },
        ]
    }

    /// CUDA's layer norm has statistics of float32 anyway, and takes scale and shift in the type of the values.
    private func layerParameter(_ parameter: Tensor, _ x: Tensor) -> TorchTensor {
        take(parameter, as: takesCUDAOps ? x.dtype : .float32)
    }

    func layerNorm(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> NormResult {
        let made = call(
            "aten::native_layer_norm", "",
            [
                .tensor(matrix(x)), .ints([x.channels]), .optional(layerParameter(scale, x)),
                .optional(layerParameter(shift, x)), .number(Double(epsilon)),
            ], results: 3
        ).map { $0 ?? TorchTensor(self, nil) }
        return NormResult(
            value: give(made[0], x.shape),
            statistics: .init(mean: give(made[1], [x.rows, 1]), inverse: give(made[2], [x.rows, 1])))
    }

    func layerNormVJP(
        _ gradient: Tensor, _ x: Tensor, scale: Tensor, shift: Tensor, _ statistics: NormResult.Statistics,
        needsParameters: Bool
    ) -> [Tensor?] {
        let made = call(
            "aten::native_layer_norm_backward", "",
            [
                .tensor(matrix(gradient)), .tensor(matrix(x)), .ints([x.channels]), .tensor(take(statistics.mean)),
                .tensor(take(statistics.inverse)), .optional(layerParameter(scale, x)),
                .optional(layerParameter(shift, x)), .flags([true, needsParameters, needsParameters]),
            ], results: 3)
        return [
            give(made[0] ?? TorchTensor(self, nil), x.shape), made[1].map { give($0, [x.channels]) },
            made[2].map { give($0, [x.channels]) },
        ]
    }

    func softmax(_ x: Tensor) -> Tensor {
        give(call("aten::_softmax", .tensor(take(x)), .int(-1), .flag(false)), x.shape)
    }

    func softmaxVJP(_ value: Tensor, _ gradient: Tensor) -> Tensor {
        give(
            call(
                "aten::_softmax_backward_data", .tensor(take(gradient)), .tensor(take(value)), .int(-1),
                .dtype(value.dtype)), value.shape)
    }
}
