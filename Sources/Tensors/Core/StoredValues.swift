import CKernels
import Synchronization

/// How many bits a frozen weight is kept in.
package enum WeightPrecision: Sendable {
    case float32
    case float16
    case bfloat16
}

/// The values of a frozen weight: as products read them, or in 16 bits where the checkpoint had them so and memory is
/// short, to be widened at each use.
struct StoredValues: Sendable {
    private enum Form {
        case wide(Tensor)
        /// Two values in the space of one float.
        case narrow(Tensor, WeightPrecision)
    }

    let count: Int
    private let form: Form

    private init(_ count: Int, _ form: Form) { (self.count, self.form) = (count, form) }

    init(_ wide: Tensor) { self.init(wide.count, .wide(wide)) }

    /// Values that 16 bits cannot hold, such as those that an adapter was folded into, stay as they are.
    init(_ wide: Tensor, keptAs precision: WeightPrecision) {
        guard precision != .float32 else {
            self.init(wide)
            return
        }
        let buffer = Output([(wide.count + 1) / 2])
        nonisolated(unsafe) let halves = UnsafeMutableRawPointer(buffer.pointer).assumingMemoryBound(to: UInt16.self)
        let losses = Atomic<Int>(0)
        Parallel.ranges(wide.count, grain: Self.grain) { range in
            let (from, to) = (wide.pointer + range.lowerBound, halves + range.lowerBound)
            let isExact =
                precision == .float16
                ? ck_narrow_half(from, to, range.count) : ck_narrow_bfloat(from, to, range.count)
            if isExact == 0 { losses.add(1, ordering: .relaxed) }
        }
        let isExact = losses.load(ordering: .relaxed) == 0
        self.init(wide.count, isExact ? .narrow(buffer.tensor, precision) : .wide(wide))
    }

    private static let grain = 1 << 16

    var isNarrow: Bool {
        if case .narrow = form { true } else { false }
    }

    /// The values as float32, widened into memory of their own where they are narrow: keep it alive while its pointer
    /// is in use.
    var wide: Tensor {
        switch form {
        case .wide(let tensor): return tensor
        case .narrow(let tensor, let precision):
            return withExtendedLifetime(tensor) {
                Tensor(widening: UnsafeRawPointer(tensor.pointer), of: precision, shape: [count])
            }
        }
    }
}
