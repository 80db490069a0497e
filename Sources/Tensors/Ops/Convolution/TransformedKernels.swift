import Synchronization

/// Transforms of one kernel, made when first asked for; who else asks meanwhile waits.
final class TransformedKernels: Sendable {
    private let made = Mutex<[Winograd.Direction: Tensor]>([:])

    func get(_ direction: Winograd.Direction, make: () -> Tensor) -> Tensor {
        made.withLock { made in
            if let present = made[direction] { return present }
            let tensor = make()
            made[direction] = tensor
            return tensor
        }
    }
}
