import CKernels
import Synchronization

/// Zeros around an image, in pixels.
package struct Padding: Sendable, Equatable {
    package var top, left, bottom, right: Int

    package init(top: Int, left: Int, bottom: Int, right: Int) {
        (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
    }

    package static let none = uniform(0)
    package static func uniform(_ n: Int) -> Padding { Padding(top: n, left: n, bottom: n, right: n) }
}

/// The kernel of a 2-D convolution, repacked once from PyTorch's layout into those that the loops read.
package struct Conv2DWeight: Sendable {
    package let outputChannels, inputChannels, kernelHeight, kernelWidth: Int
    /// Where gradients go; nil for a frozen kernel.
    let parameter: Tensor?
    private let packed: PackedKernel

    /// - Parameter oihw: `[out, in, kh, kw]`.
    package init(_ oihw: Tensor) {
        precondition(oihw.shape.count == 4, "a convolution kernel has four dimensions, not \(oihw.shape)")
        (outputChannels, inputChannels) = (oihw.shape[0], oihw.shape[1])
        (kernelHeight, kernelWidth) = (oihw.shape[2], oihw.shape[3])
        parameter = oihw.requiresGradient ? oihw : nil
        packed = PackedKernel(hwio: permuted(oihw))
    }

    /// `[kh·kw·in, out]`.
    var hwio: Tensor { packed.hwio }
    /// Kernels smaller than this keep their transform; larger ones are transformed at each use, which costs little
    /// beside the products and saves four times their memory.
    private static let largestKeptTransform = 512 * 512

    /// The kernel as Winograd's `[36, in, out]`, packed.
    func winograd() -> Tensor {
        guard inputChannels * outputChannels <= Self.largestKeptTransform else {
            return winogradTransform(hwio, inputChannels, outputChannels)
        }
        return packed.kept(\.winograd) { winogradTransform(hwio, inputChannels, outputChannels) }
    }

    /// The kernel of the convolution that carries gradients back: turned by 180° with in and out exchanged.
    func turnedWinograd() -> Tensor {
        guard inputChannels * outputChannels <= Self.largestKeptTransform else {
            return winogradTransform(turned(), outputChannels, inputChannels)
        }
        return packed.kept(\.turnedWinograd) { winogradTransform(turned(), outputChannels, inputChannels) }
    }

    private func turned() -> Tensor {
        let (taps, inputs, outputs) = (kernelHeight * kernelWidth, inputChannels, outputChannels)
        let out = Output([taps * outputs, inputs])
        let source = hwio
        Parallel.forEach(taps) { tap in
            let from = source.pointer + tap * inputs * outputs
            let to = out.pointer + (taps - 1 - tap) * inputs * outputs
            for o in 0..<outputs { for i in 0..<inputs { to[o * inputs + i] = from[i * outputs + o] } }
        }
        return out.tensor
    }
}

/// Layouts of one kernel, made when first asked for.
private final class PackedKernel: Sendable {
    struct Transforms {
        var winograd: Tensor?
        var turnedWinograd: Tensor?
    }

    let hwio: Tensor
    private let transforms = Mutex(Transforms())

    init(hwio: Tensor) { self.hwio = hwio }

    func kept(_ slot: any WritableKeyPath<Transforms, Tensor?> & Sendable, make: () -> Tensor) -> Tensor {
        if let present = transforms.withLock({ $0[keyPath: slot] }) { return present }
        let made = make()
        transforms.withLock { $0[keyPath: slot] = made }
        return made
    }
}

/// OIHW → [kh·kw·in, out].
private func permuted(_ oihw: Tensor) -> Tensor {
    let (outputs, inputs, taps) = (oihw.shape[0], oihw.shape[1], oihw.shape[2] * oihw.shape[3])
    let out = Output([taps * inputs, outputs])
    Parallel.rows(inputs, width: outputs * taps) { range in
        for i in range {
            for o in 0..<outputs {
                let from = oihw.pointer + (o * inputs + i) * taps
                for tap in 0..<taps { out.pointer[(tap * inputs + i) * outputs + o] = from[tap] }
            }
        }
    }
    return out.tensor
}

/// The 36 planes [in, out] of the transformed kernel, each packed as products read it.
private func winogradTransform(_ hwio: Tensor, _ inputs: Int, _ outputs: Int) -> Tensor {
    let planes = Output([36, inputs, outputs])
    Parallel.rows(inputs, width: 36 * outputs) { range in
        ck_winograd_kernel(hwio.pointer, planes.pointer, inputs, outputs, range.lowerBound, range.upperBound)
    }
    guard RightHandSide.usesPanels else { return planes.tensor }
    let packed = Output([36, inputs, outputs])
    Parallel.forEach(36) { plane in
        let matrix = Matrix(pointer: planes.pointer + plane * inputs * outputs, stride: outputs)
        _ = RightHandSide(packing: matrix, inputs, outputs, into: packed.pointer + plane * inputs * outputs)
    }
    return packed.tensor
}
