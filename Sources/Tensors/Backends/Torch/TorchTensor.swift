import CTorch

/// A tensor of PyTorch's; freed when it goes. Nobody writes to one that was handed out, hence Sendable.
final class TorchTensor: RemoteMemory, @unchecked Sendable {
    let torch: TorchBackend
    /// Nil after a failure: what is computed from it fails too.
    let handle: OpaquePointer?

    init(_ torch: TorchBackend, _ handle: OpaquePointer?) { (self.torch, self.handle) = (torch, handle) }

    var backend: any Backend { torch }

    var sizes: [Int] {
        guard let handle, let sizes = ct_sizes(handle) else { return [] }
        return (0..<Int(ct_dimensions(handle))).map { Int(sizes[$0]) }
    }

    /// Its type; float32 where it is one that tensors do not have.
    var dtype: DType {
        switch handle.map({ ct_dtype_of($0) }) {
        case Int32(CT_BFLOAT16.rawValue): .bfloat16
        case Int32(CT_FLOAT16.rawValue): .float16
        default: .float32
        }
    }

    deinit {
        if let handle { ct_free(handle) }
    }
}

/// One argument of an op of the dispatcher. Optional arguments have their own cases: in the ABI they are pointers.
enum TorchArgument {
    case tensor(TorchTensor)
    case optional(TorchTensor?)
    case tensors([TorchTensor])
    case int(Int)
    case flag(Bool)
    case number(Double)
    case ints([Int])
    case flags([Bool])
    case someInts([Int])
    case someInt(Int)
    case dtype(DType)
    case text(StaticString)
    /// An optional argument that is not given.
    case none

    /// What the ABI passes; freed by the call.
    var word: UInt64 {
        switch self {
        case .tensor(let tensor): ct_argument_tensor(tensor.handle)
        case .optional(let tensor): tensor.map { ct_argument_some(ct_argument_tensor($0.handle)) } ?? 0
        case .tensors(let tensors): Self.list(tensors)
        case .int(let value): UInt64(bitPattern: Int64(value))
        case .flag(let value): value ? 1 : 0
        case .number(let value): ct_argument_number(value)
        case .ints(let values): Self.list(values)
        case .flags(let values): Self.list(values.map { $0 ? 1 : 0 })
        case .someInts(let values): ct_argument_some(Self.list(values))
        case .someInt(let value): ct_argument_some(UInt64(bitPattern: Int64(value)))
        case .dtype(let dtype): ct_argument_dtype(dtype.torch)
        case .text(let text): ct_argument_text(text.cString)
        case .none: 0
        }
    }

    /// Whether a tensor among it is one of a failure.
    var isFailed: Bool {
        switch self {
        case .tensor(let tensor): tensor.handle == nil
        case .optional(let tensor): tensor.map { $0.handle == nil } ?? false
        case .tensors(let tensors): tensors.contains { $0.handle == nil }
        default: false
        }
    }

    private static func list(_ values: [Int]) -> UInt64 {
        values.map(Int64.init).withUnsafeBufferPointer { ct_argument_ints($0.baseAddress, $0.count) }
    }

    private static func list(_ tensors: [TorchTensor]) -> UInt64 {
        withExtendedLifetime(tensors) {
            tensors.map(\.handle).withUnsafeBufferPointer { ct_argument_tensors($0.baseAddress, $0.count) }
        }
    }
}

extension DType {
    var torch: Int32 {
        switch self {
        case .float32: Int32(CT_FLOAT32.rawValue)
        case .bfloat16: Int32(CT_BFLOAT16.rawValue)
        case .float16: Int32(CT_FLOAT16.rawValue)
        }
    }
}
