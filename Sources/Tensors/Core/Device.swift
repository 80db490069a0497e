/// Where a tensor's values are, and who computes with them.
package enum Device: Sendable, Hashable {
    /// Host memory and the loops of CKernels.
    case cpu
    /// A device of PyTorch's.
    case torch(TorchDevice)

    /// The first thing that went wrong on it since it was opened; nil where all is well. Ops do not throw: what follows a
    /// failure is NaN.
    package var failure: DeviceError? { backend?.failure }
    /// Forgets it, for another try with less.
    package func forgetFailure() { backend?.forgetFailure() }

    /// What computes there; nil for the CPU's loops.
    var backend: (any Backend)? {
        switch self {
        case .cpu: nil
        case .torch(let device): TorchBackend.on(device)
        }
    }
}

extension Device: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cpu: "cpu"
        case .torch(let device): device.description
        }
    }
}

/// A device of PyTorch's.
package struct TorchDevice: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable {
        /// PyTorch's own kernels for processors. Several of them are one and the same, for tests of several devices.
        case cpu = "torch-cpu"
        case cuda
    }

    package var kind: Kind
    package var index: Int

    package init(_ kind: Kind, index: Int = 0) { (self.kind, self.index) = (kind, index) }

    package var description: String { index == 0 ? kind.rawValue : "\(kind.rawValue):\(index)" }
}

/// Why a device cannot compute: what, and what to do, in one line.
package struct DeviceError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// PyTorch is not there, or not one that can be used.
        case library
        /// The device is not there.
        case device
        case outOfMemory
        /// An op that PyTorch lacks, or refuses.
        case op
    }

    package let code: Code
    package let description: String

    init(_ code: Code, _ description: String) { (self.code, self.description) = (code, description) }
}

/// A device and what values have on it.
package struct Placement: Sendable, Hashable {
    package let device: Device
    package let dtype: DType

    package static let cpu = Placement(device: .cpu, dtype: .float32)

    private init(device: Device, dtype: DType) { (self.device, self.dtype) = (device, dtype) }

    /// Where a network of some precision computes: on the CPU activations are float32 whatever its products are.
    package init(_ device: Device, _ precision: Precision) {
        self.init(device: device, dtype: device == .cpu ? .float32 : precision.dtype)
    }

    /// A tensor there, as an op of the tape.
    package func callAsFunction(_ x: Tensor) -> Tensor { x.moved(to: device, as: dtype) }

    /// What a network gives, as float32 where it was computed.
    package func widened(_ x: Tensor) -> Tensor { dtype == .float32 ? x : x.moved(to: device, as: .float32) }
}
