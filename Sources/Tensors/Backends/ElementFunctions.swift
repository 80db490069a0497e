import CKernels

/// Functions of one number that ops apply to every element.
enum ElementFunction: Sendable {
    case silu, gelu, quickGelu
    /// √x; 0 below 0.
    case squareRoot

    var loop: UnaryLoop {
        switch self {
        case .silu: ck_silu
        case .gelu: ck_gelu
        case .quickGelu: ck_quick_gelu
        case .squareRoot: ck_square_root
        }
    }

    /// From x and the gradient of f(x) to that of x.
    var vjpLoop: BinaryLoop {
        switch self {
        case .silu: ck_silu_vjp
        case .gelu: ck_gelu_vjp
        case .quickGelu: ck_quick_gelu_vjp
        case .squareRoot: preconditionFailure("a square root's gradient is computed from its value")
        }
    }
}

/// Operations on two numbers.
enum ElementOperation: Sendable {
    case add, subtract, multiply, divide

    var loop: BinaryLoop {
        switch self {
        case .add: ck_add
        case .subtract: ck_subtract
        case .multiply: ck_multiply
        case .divide: ck_divide
        }
    }
}

/// f(x) by elements.
func apply(_ function: ElementFunction, to x: Tensor) -> Tensor {
    x.backend?.apply(function, to: x) ?? map(x, function.loop)
}

/// From the gradient of f(x) to that of x.
func applyVJP(_ function: ElementFunction, _ x: Tensor, _ gradient: Tensor) -> Tensor {
    x.backend?.applyVJP(function, x, gradient) ?? zip(x, gradient, function.vjpLoop)
}

/// a ∘ b by elements.
func combine(_ a: Tensor, _ b: Tensor, _ operation: ElementOperation) -> Tensor {
    if let backend = a.backend ?? b.backend { return backend.combine(a, b, operation) }
    return zip(a, b, operation.loop)
}
