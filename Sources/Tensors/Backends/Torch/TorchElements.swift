extension TorchBackend: Backend {
    // MARK: Element by element

    func apply(_ function: ElementFunction, to x: Tensor) -> Tensor {
        let input = take(x)
        let value =
            switch function {
            case .silu: call("aten::silu", .tensor(input))
            case .gelu: call("aten::gelu", .tensor(input), .text("none"))
            case .quickGelu: product(input, quickGate(input))
            case .squareRoot: call("aten::sqrt", .tensor(call("aten::relu", .tensor(input))))
            }
        return give(value, x.shape)
    }

    func applyVJP(_ function: ElementFunction, _ x: Tensor, _ gradient: Tensor) -> Tensor {
        let (input, slope) = (take(x), take(gradient))
        let value: TorchTensor
        switch function {
        case .silu: value = call("aten::silu_backward", .tensor(slope), .tensor(input))
        case .gelu: value = call("aten::gelu_backward", .tensor(slope), .tensor(input), .text("none"))
        case .quickGelu:
            // σ(cx) + cx·σ(cx)·(1 − σ(cx))
            let gate = quickGate(input)
            let bend = product(product(input, Self.quickFactor), sum(gate, product(gate, gate), factor: -1))
            value = product(slope, sum(gate, bend))
        case .squareRoot: preconditionFailure("a square root's gradient is computed from its value")
        }
        return give(value, x.shape)
    }

    private static let quickFactor: Float = 1.702

    private func quickGate(_ x: TorchTensor) -> TorchTensor {
        call("aten::sigmoid", .tensor(product(x, Self.quickFactor)))
    }

    func combine(_ a: Tensor, _ b: Tensor, _ operation: ElementOperation) -> Tensor {
        precondition(a.shape == b.shape, "element by element needs one shape, not \(a.shape) and \(b.shape)")
        let (left, right) = (take(a), take(b))
        let value =
            switch operation {
            case .add: sum(left, right)
            case .subtract: sum(left, right, factor: -1)
            case .multiply: product(left, right)
            case .divide: call("aten::div", "Tensor", .tensor(left), .tensor(right))
            }
        return give(value, a.shape)
    }

    func scaled(_ x: Tensor, by factor: Float) -> Tensor { give(product(take(x), factor), x.shape) }
    func shifted(_ x: Tensor, by term: Float) -> Tensor { give(sum(take(x), number(term)), x.shape) }

    func clamped(_ x: Tensor, _ limit: Float) -> Tensor {
        give(
            call(
                "aten::clamp", "Tensor", .tensor(take(x)), .optional(floats([-limit], [1])),
                .optional(floats([limit], [1]))), x.shape)
    }

    func clampedVJP(_ x: Tensor, _ gradient: Tensor, _ limit: Float) -> Tensor {
        let isInside = call("aten::le", "Tensor", .tensor(call("aten::abs", .tensor(take(x)))), .tensor(number(limit)))
        return give(product(take(gradient), isInside), x.shape)
    }

    func geglu(_ x: Tensor) -> Tensor {
        let (value, gate) = halves(x)
        let opened = call("aten::gelu", .tensor(gate), .text("none"))
        return give(product(value, opened), x.shape.dropLast() + [x.channels / 2])
    }

    func gegluVJP(_ x: Tensor, _ gradient: Tensor) -> Tensor {
        let (value, gate) = halves(x)
        let slope = take(gradient)
        let forValue = product(slope, call("aten::gelu", .tensor(gate), .text("none")))
        let forGate = call("aten::gelu_backward", .tensor(product(slope, value)), .tensor(gate), .text("none"))
        return give(call("aten::cat", .tensors([forValue, forGate]), .int(-1)), x.shape)
    }

    private func halves(_ x: Tensor) -> (value: TorchTensor, gate: TorchTensor) {
        let (input, half) = (take(x), x.channels / 2)
        return (slice(input, -1, 0..<half), slice(input, -1, half..<2 * half))
    }

    // MARK: Rows, columns, samples
    //
    // Factors may have more digits than what they multiply: the result has the type of the latter.

    func add(_ x: Tensor, perSample vectors: Tensor) -> Tensor {
        let ones = Array(repeating: 1, count: max(x.shape.count - 2, 0))
        let terms = reshape(take(vectors), [x.shape[0]] + ones + [x.channels])
        return give(converted(sum(take(x), terms), to: x.dtype), x.shape)
    }

    func sumPerSample(_ x: Tensor) -> Tensor {
        let (samples, channels) = (x.shape[0], x.channels)
        let rows = reshape(take(x), [samples, x.rows / max(samples, 1), channels])
        return give(sum(rows, over: [1]), [samples, channels])
    }

    func sumRows(_ x: Tensor) -> Tensor { give(sum(matrix(x), over: [0]), [x.channels]) }

    /// As rows of channels.
    func matrix(_ x: Tensor) -> TorchTensor { reshape(take(x), [x.rows, x.channels]) }

    func rowDots(_ a: Tensor, _ b: Tensor) -> Tensor {
        let products = product(converted(matrix(a), to: .float32), matrix(b))
        return give(sum(products, over: [1]), [a.rows])
    }

    func scaleRows(_ matrix: Tensor, by factors: Tensor) -> Tensor {
        let product = product(self.matrix(matrix), reshape(take(factors), [matrix.rows, 1]))
        return give(converted(product, to: matrix.dtype), matrix.shape)
    }

    func scaleColumns(_ x: Tensor, gain: Tensor, bias: Tensor?) -> Tensor {
        var value = product(matrix(x), reshape(take(gain), [x.channels]))
        if let bias { value = sum(value, reshape(take(bias), [x.channels])) }
        return give(converted(value, to: x.dtype), x.shape)
    }

    func columnDots(_ a: Tensor, _ b: Tensor, shift: Tensor?) -> Tensor {
        var factor = converted(matrix(b), to: .float32)
        if let shift { factor = sum(factor, reshape(take(shift), [b.channels]), factor: -1) }
        return give(sum(product(matrix(a), factor), over: [0]), [a.channels])
    }

    func mix(_ a: Tensor, _ b: Tensor, by factors: [(Float, Float)]) -> Tensor {
        let value = sum(
            product(take(a), perSample(factors.map(\.0), a.shape)),
            product(take(b), perSample(factors.map(\.1), a.shape)))
        return give(value, a.shape)
    }

    func scaleSamples(_ x: Tensor, by factors: [Float]) -> Tensor {
        give(converted(product(take(x), perSample(factors, x.shape)), to: x.dtype), x.shape)
    }

    private func perSample(_ values: [Float], _ shape: [Int]) -> TorchTensor {
        floats(values, [values.count] + Array(repeating: 1, count: max(shape.count - 1, 0)))
    }

    func squaredDistancePerSample(_ a: Tensor, _ b: Tensor) -> [Double] {
        let samples = a.shape.first ?? 1
        let size = a.count / max(samples, 1)
        let difference = widened(
            reshape(sum(take(a, as: .float32), take(b, as: .float32), factor: -1), [samples, size]))
        return doubles(sum(product(difference, difference), over: [1]), samples)
    }
}
