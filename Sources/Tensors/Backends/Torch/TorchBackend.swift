import CTorch
import Synchronization

import Glibc

/// Ops on a device of PyTorch's, by calls of its dispatcher.
///
/// Tensors that are handed out are contiguous in the layout that all ops share, channels last; PyTorch's convolutions and norms
/// see them through permuted views, which they know as their own channels-last memory format.
final class TorchBackend: Sendable {
    let torchDevice: TorchDevice
    var device: Device { .torch(torchDevice) }
    private let firstFailure = Mutex<DeviceError?>(nil)

    private static let all = Mutex<[TorchDevice: TorchBackend]>([:])

    /// Whether ops are those that CUDA has for the same bits in every run. The environment's `ATTUNE_TORCH_OPS=cuda` asks for
    /// them on the CPU too, where they can be tested.
    let takesCUDAOps: Bool

    private init(_ device: TorchDevice) {
        torchDevice = device
        takesCUDAOps = device.kind == .cuda || getenv("ATTUNE_TORCH_OPS").map { String(cString: $0) } == "cuda"
    }

    /// The one of a device.
    static func on(_ device: TorchDevice) -> TorchBackend {
        all.withLock { all in
            if let known = all[device] { return known }
            let made = TorchBackend(device)
            all[device] = made
            return made
        }
    }

    var failure: DeviceError? { firstFailure.withLock { $0 } }
    /// Forgets a failure, for another try.
    func forgetFailure() { firstFailure.withLock { $0 = nil } }

    var kind: Int32 { Int32((torchDevice.kind == .cuda ? CT_CUDA : CT_CPU).rawValue) }
    private var index: Int32 { Int32(torchDevice.index) }

    // MARK: Failures

    /// Keeps the first one, and gives what stands for the result.
    private func fail(_ op: String) -> TorchTensor {
        let text = String(cString: ct_error()).split(separator: "\n").first.map(String.init) ?? ""
        let isMemory = ["out of memory", "allocate memory"].contains { text.contains($0) }
        let code: DeviceError.Code = isMemory ? .outOfMemory : .op
        note(DeviceError(code, code == .outOfMemory ? text : "\(op): \(text)"))
        return TorchTensor(self, nil)
    }

    private func note(_ error: DeviceError) {
        firstFailure.withLock { if $0 == nil { $0 = error } }
    }

    private func made(_ op: String, _ make: (UnsafeMutablePointer<OpaquePointer?>) -> Int32) -> TorchTensor {
        guard TorchLibrary.opened != nil else {
            note(DeviceError(.library, "\(torchDevice): PyTorch was not opened"))
            return TorchTensor(self, nil)
        }
        var handle: OpaquePointer?
        return make(&handle) == 0 && handle != nil ? TorchTensor(self, handle) : fail(op)
    }

    // MARK: Memory

    /// Uninitialized.
    func empty(_ shape: [Int], _ dtype: DType) -> TorchTensor {
        made("empty") { ct_empty(shape.map(Int64.init), Int64(shape.count), dtype.torch, kind, index, $0) }
    }

    func empty(_ shape: [Int], strides: [Int], _ dtype: DType) -> TorchTensor {
        made("empty") {
            ct_empty_strided(
                shape.map(Int64.init), strides.map(Int64.init), Int64(shape.count), dtype.torch, kind, index, $0)
        }
    }

    func zeros(_ shape: [Int], _ dtype: DType) -> TorchTensor {
        let tensor = empty(shape, dtype)
        if let handle = tensor.handle, ct_zero(handle) != 0 { return fail("zero_") }
        return tensor
    }

    /// Copies values, whatever the types and devices of both.
    private func copy(_ from: TorchTensor, to: TorchTensor, _ op: String) -> TorchTensor {
        guard let source = from.handle, let target = to.handle else { return TorchTensor(self, nil) }
        return ct_copy(target, source) == 0 ? to : fail(op)
    }

    /// Numbers of the host on the device.
    func placed<T>(_ values: UnsafePointer<T>, _ shape: [Int], from: Int32, as dtype: Int32) -> TorchTensor {
        let sizes = shape.map(Int64.init)
        let host = made("from_blob") {
            ct_borrow(UnsafeMutableRawPointer(mutating: values), sizes, Int64(sizes.count), from, $0)
        }
        let target = made("empty") { ct_empty(sizes, Int64(sizes.count), dtype, kind, index, $0) }
        return copy(host, to: target, "copy to \(torchDevice)")
    }

    func integers(_ values: [Int32]) -> TorchTensor {
        let type = Int32(CT_INT64.rawValue)
        return values.map(Int64.init).withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return empty([0], .float32) }
            return placed(base, [values.count], from: type, as: type)
        }
    }

    func floats(_ values: [Float], _ shape: [Int]) -> TorchTensor {
        take(Tensor(shape: shape, values: values))
    }

    func number(_ value: Float) -> TorchTensor { made("scalar") { ct_number(Double(value), $0) } }

    // MARK: Between tensors and PyTorch's

    /// A tensor with its shape; one of another device is copied to this one first.
    func take(_ x: Tensor) -> TorchTensor {
        guard let remote = x.storage.remote as? TorchTensor, remote.torch === self else {
            let host = x.onHost
            return withExtendedLifetime(host) {
                placed(host.pointer, x.shape, from: DType.float32.torch, as: DType.float32.torch)
            }
        }
        return reshape(remote, x.shape)
    }

    /// The same in some type.
    func take(_ x: Tensor, as dtype: DType) -> TorchTensor { converted(take(x), to: dtype) }

    func converted(_ x: TorchTensor, to dtype: DType) -> TorchTensor {
        guard x.handle != nil, x.dtype != dtype else { return x }
        return copy(x, to: empty(x.sizes, dtype), "to \(dtype)")
    }

    /// A copy, row-major in memory.
    func rowMajor(_ x: TorchTensor, as dtype: DType) -> TorchTensor { copy(x, to: empty(x.sizes, dtype), "copy") }

    func reshape(_ x: TorchTensor, _ shape: [Int]) -> TorchTensor {
        guard x.handle != nil, x.sizes != shape else { return x }
        return call("aten::reshape", .tensor(x), .ints(shape))
    }

    /// A result, contiguous in memory.
    func give(_ x: TorchTensor, _ shape: [Int]) -> Tensor {
        var x = x
        if let handle = x.handle, ct_is_contiguous(handle) == 0 {
            x = copy(x, to: empty(x.sizes, x.dtype), "contiguous")
        }
        return Tensor(
            shape: shape, storage: Storage(x, count: shape.reduce(1, *), dtype: x.dtype), node: nil)
    }

    func upload(_ x: Tensor, as dtype: DType) -> Tensor {
        let there = withExtendedLifetime(x) {
            placed(x.pointer, x.shape, from: DType.float32.torch, as: dtype.torch)
        }
        // Also where it failed, the type is the one that was asked for.
        return Tensor(shape: x.shape, storage: Storage(there, count: x.count, dtype: dtype), node: nil)
    }

    func cast(_ x: Tensor, to dtype: DType) -> Tensor { give(take(x, as: dtype), x.shape) }

    func download(_ x: Tensor, into out: UnsafeMutablePointer<Float>) {
        if !download(take(x), UnsafeMutableRawPointer(out), x.shape, DType.float32.torch) {
            out.update(repeating: .nan, count: x.count)
        }
    }

    private func download(_ x: TorchTensor, _ out: UnsafeMutableRawPointer, _ shape: [Int], _ dtype: Int32) -> Bool {
        guard x.handle != nil else { return false }
        let host = made("from_blob") { ct_borrow(out, shape.map(Int64.init), Int64(shape.count), dtype, $0) }
        return copy(x, to: host, "copy from \(torchDevice)").handle != nil
    }

    /// Values in double precision; NaN after a failure.
    func doubles(_ x: TorchTensor, _ count: Int) -> [Double] {
        var out = [Double](repeating: .nan, count: count)
        let isDone = out.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { download(x, $0, [count], Int32(CT_FLOAT64.rawValue)) } ?? true
        }
        return isDone ? out : Array(repeating: .nan, count: count)
    }

    /// In double precision.
    func widened(_ x: TorchTensor) -> TorchTensor {
        let sizes = x.sizes.map(Int64.init)
        let target = made("empty") { ct_empty(sizes, Int64(sizes.count), Int32(CT_FLOAT64.rawValue), kind, index, $0) }
        return copy(x, to: target, "to float64")
    }

    // MARK: Calls

    /// An op with one result.
    func call(_ name: StaticString, _ overload: StaticString, _ arguments: TorchArgument...) -> TorchTensor {
        call(name, overload, arguments, results: 1)[0] ?? TorchTensor(self, nil)
    }

    func call(_ name: StaticString, _ arguments: TorchArgument...) -> TorchTensor {
        call(name, "", arguments, results: 1)[0] ?? TorchTensor(self, nil)
    }

    /// An op with several results, nil where it gives none.
    func call(
        _ name: StaticString, _ overload: StaticString = "", _ arguments: [TorchArgument], results: Int
    ) -> [TorchTensor?] {
        let failed: () -> [TorchTensor?] = { (0..<results).map { _ in TorchTensor(self, nil) } }
        if arguments.contains(where: \.isFailed) { return failed() }
        var stack = withExtendedLifetime(arguments) { arguments.map(\.word) }
        while stack.count < results { stack.append(0) }
        guard ct_call(name.cString, overload.cString, &stack) == 0 else {
            _ = fail(String(describing: name))
            return failed()
        }
        return stack.prefix(results).map { ct_result($0).map { TorchTensor(self, $0) } }
    }

    /// a + factor·b.
    func sum(_ a: TorchTensor, _ b: TorchTensor, factor: Double = 1) -> TorchTensor {
        guard let left = a.handle, let right = b.handle else { return TorchTensor(self, nil) }
        return withExtendedLifetime((a, b)) { made("aten::add") { ct_add(left, right, factor, kind, $0) } }
    }

    func product(_ a: TorchTensor, _ b: TorchTensor) -> TorchTensor {
        call("aten::mul", "Tensor", .tensor(a), .tensor(b))
    }

    func product(_ a: TorchTensor, _ b: Float) -> TorchTensor { product(a, number(b)) }

    func permute(_ x: TorchTensor, _ order: [Int]) -> TorchTensor { call("aten::permute", .tensor(x), .ints(order)) }

    /// Sums over dimensions, which go.
    func sum(_ x: TorchTensor, over dimensions: [Int]) -> TorchTensor {
        call("aten::sum", "dim_IntList", .tensor(x), .someInts(dimensions), .flag(false), .none)
    }

    func slice(_ x: TorchTensor, _ dimension: Int, _ range: Range<Int>) -> TorchTensor {
        call(
            "aten::slice", "Tensor", .tensor(x), .int(dimension), .someInt(range.lowerBound),
            .someInt(range.upperBound),
            .int(1))
    }

    /// Writes `x` to a part of a new tensor.
    func write(_ x: TorchTensor, to part: TorchTensor) { _ = copy(x, to: part, "copy_") }
}

extension StaticString {
    var cString: UnsafePointer<CChar> { UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self) }
}
