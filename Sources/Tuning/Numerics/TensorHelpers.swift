import Tensor

/// A copy whose values `body` changes in place.
func copy(of tensor: Tensor, changing body: (UnsafeMutablePointer<Float>) -> Void) -> Tensor {
    Tensor(shape: tensor.shape) { out in
        tensor.withValues { _ = out.initialize(from: $0) }
        if let pointer = out.baseAddress { body(pointer) }
    }
}

/// a/b by elements.
func quotient(_ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor(shape: a.shape) { out in
        a.withValues { a in
            b.withValues { b in
                for index in 0..<out.count { out[index] = a[index] / b[index] }
            }
        }
    }
}
