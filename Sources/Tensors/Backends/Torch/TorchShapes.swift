extension TorchBackend {
    func embedding(_ table: Tensor, _ ids: [Int32]) -> Tensor {
        let rows = call("aten::index_select", .tensor(take(table)), .int(0), .tensor(integers(ids)))
        return give(rows, [ids.count, table.channels])
    }

    func embeddingVJP(_ gradient: Tensor, _ ids: [Int32], entries: Int) -> Tensor {
        let sum = call(
            "aten::embedding_dense_backward", .tensor(take(gradient)), .tensor(integers(ids)), .int(entries), .int(-1),
            .flag(false))
        return give(sum, [entries, gradient.channels])
    }

    func upsampled2x(_ x: Tensor) -> Tensor {
        let (height, width) = (2 * x.shape[1], 2 * x.shape[2])
        let image = call(
            "aten::upsample_nearest2d", .tensor(permute(take(x), [0, 3, 1, 2])), .ints([height, width]), .none, .none)
        return give(permute(image, [0, 2, 3, 1]), [x.shape[0], height, width, x.channels])
    }

    func upsampled2xVJP(_ gradient: Tensor) -> Tensor {
        let (images, height, width) = (gradient.shape[0], gradient.shape[1] / 2, gradient.shape[2] / 2)
        let squares = reshape(take(gradient), [images, height, 2, width, 2, gradient.channels])
        return give(sum(squares, over: [2, 4]), [images, height, width, gradient.channels])
    }

    private func dimension(_ axis: Axis, _ shape: [Int]) -> Int { axis == .batch ? 0 : shape.count - 1 }

    func concatenated(_ parts: [Tensor], _ axis: Axis) -> Tensor {
        // What is on the device decides the type.
        let dtype = parts.first { $0.backend != nil }?.dtype ?? .float32
        let dimension = dimension(axis, parts[0].shape)
        let whole = call("aten::cat", .tensors(parts.map { take($0, as: dtype) }), .int(dimension))
        var shape = parts[0].shape
        shape[dimension] = parts.reduce(0) { $0 + $1.shape[dimension] }
        return give(whole, shape)
    }

    func sliced(_ x: Tensor, _ range: Range<Int>, _ axis: Axis) -> Tensor {
        let dimension = dimension(axis, x.shape)
        var shape = x.shape
        shape[dimension] = range.count
        return give(slice(take(x), dimension, range), shape)
    }

    func placed(_ x: Tensor, at range: Range<Int>, _ axis: Axis, of shape: [Int]) -> Tensor {
        let whole = zeros(shape, x.dtype)
        write(take(x), to: slice(whole, dimension(axis, shape), range))
        return give(whole, shape)
    }

    func transposed(_ matrix: Tensor) -> Tensor {
        give(permute(take(matrix), [1, 0]), [matrix.shape[1], matrix.shape[0]])
    }

    func permutedImages(_ x: Tensor, toChannelsLast: Bool) -> Tensor {
        let order = toChannelsLast ? [0, 2, 3, 1] : [0, 3, 1, 2]
        return give(permute(take(x), order), order.map { x.shape[$0] })
    }
}
