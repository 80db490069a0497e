import Foundation
import TestSupport
import Tensors
import Testing

/// What is particular to tensors of PyTorch's. Its ops are compared with the CPU's by every check of gradients.
@Suite("PyTorch as a device", .enabled(if: TestDevices.torch != nil, "\(TestDevices.missing)"))
struct TorchTests {
    private let device = TestDevices.torch ?? .cpu

    @Test func valuesGoThereAndBack() {
        let x = CounterGenerator(seed: 1, stream: 0).normal([3, 4, 5])
        let there = x.moved(to: device)
        #expect(there.device == device && there.shape == x.shape)
        #expect(there.values == x.values)
        #expect(there.reshaped([12, 5]).batch(1..<3).values == x.reshaped([12, 5]).batch(1..<3).values)
        for (dtype, bound) in [(DType.bfloat16, Float(0x1p-8)), (.float16, 0x1p-10)] {
            let rounded = x.moved(to: device, as: dtype)
            #expect(rounded.dtype == dtype && rounded.values != x.values)
            // Below 2⁻¹⁴ float16 has fewer digits.
            #expect(zip(rounded.values, x.values).allSatisfy { abs($0 - $1) <= bound * max(abs($1), 0x1p-14) })
        }
    }

    /// Where a group's mean is far from 0, its digits in 16 bits would not tell the values apart.
    @Test(arguments: [DType.bfloat16, .float16], [Activation.none, .silu])
    func statisticsOfNormsStayInFloat32(dtype: DType, activation: Activation) {
        let shape = [2, 8, 8, 16]
        let generator = CounterGenerator(seed: 4, stream: 0)
        let offset = Tensor(filled: 100.3, shape: shape)
        let x = (generator.normal(shape) * 4 + offset).moved(to: device, as: dtype).moved(to: .cpu)
        let (scale, shift) = (Tensor(filled: 1, shape: [16]), Tensor(zeros: [16]))
        let target = CounterGenerator(seed: 4, stream: 1).normal(shape)
        func run(_ place: (Tensor) -> Tensor) -> (value: Tensor, gradient: Tensor) {
            let leaf = Tensor.parameter(x)
            let out = groupNorm(
                place(leaf), groups: 4, scale: place(scale), shift: place(shift), epsilon: 1e-5, activation: activation)
            return (out, gradients(of: meanSquaredError(out.moved(to: .cpu), target) * 1024, for: [leaf])[0])
        }
        let (here, there) = (run { $0 }, run { $0.moved(to: device, as: dtype) })
        let bound = dtype == .float16 ? 1e-3 : 8e-3
        #expect(relativeError(there.value.values, here.value.values) < bound)
        let error = relativeError(there.gradient.values, here.gradient.values)
        #expect(error < bound, "\(error)")
    }

    @Test func anOperandOfTheHostIsCopied() {
        let (a, b) = (Tensor(shape: [3], values: [1, 2, 3]), Tensor(shape: [3], values: [10, 20, 30]))
        for sum in [a.moved(to: device) + b, a + b.moved(to: device)] {
            #expect(sum.device == device && sum.values == [11, 22, 33])
        }
    }

    @Test func gradientsComeBackToTheHost() {
        let x = Tensor.parameter(Tensor(shape: [2], values: [1, 2]))
        let loss = meanSquaredError(x.moved(to: device) * 3, Tensor(zeros: [2]))
        let gradient = gradients(of: loss, for: [x])[0]
        #expect(gradient.device == .cpu && gradient.values == [9, 18])
    }

    @Test func convolutionsOfEverySortAreTheCPUs() throws {
        for (stride, padding) in [
            (1, Padding.uniform(1)), (2, .uniform(1)), (2, Padding(top: 0, left: 0, bottom: 1, right: 1)),
        ] {
            let generator = CounterGenerator(seed: 2, stream: UInt64(stride))
            let (x, kernel) = (generator.normal([2, 8, 6, 4]), generator.normal([6, 4, 3, 3]))
            func run(_ device: Device) -> (Tensor, [Tensor]) {
                let leaves = [Tensor.parameter(x), Tensor.parameter(kernel)]
                let out = conv2d(
                    leaves[0].moved(to: device), PreparedConvolution(leaves[1].moved(to: device)), stride: stride,
                    padding: padding)
                return (out, gradients(of: meanSquaredError(out, Tensor(zeros: out.shape)), for: leaves))
            }
            let (here, there) = (run(.cpu), run(device))
            #expect(relativeError(there.0.values, here.0.values) < 1e-5)
            for (a, b) in zip(there.1, here.1) { #expect(relativeError(a.values, b.values) < 1e-5) }
        }
    }

    @Test func aFailureIsKeptAndMakesNaN() throws {
        // Another index is another device of its own, whose failure nobody else sees.
        let torch = TorchDevice(.cpu, index: 7)
        try TorchLibrary.prepare(torch)
        let column = Tensor(zeros: [1 << 23, 1]).moved(to: .torch(torch))
        #expect(column.device.failure == nil)
        // More bytes than a processor can address.
        let vast = matmul(column, column, transposeB: true)
        let failure = try #require(column.device.failure)
        #expect(failure.code == .outOfMemory && failure.description.contains("allocate"), "\(failure)")
        let after = matmul(vast, column)
        #expect(after.shape == column.shape && after.values.allSatisfy(\.isNaN))
        #expect(column.device.failure == failure)
        try TorchLibrary.prepare(torch)
        #expect(column.device.failure == nil)
    }

    @Test func aFolderWithoutPyTorchIsRefused() {
        #expect(throws: DeviceError.self) { try TorchLibrary.open(folder: "/nonexistent") }
    }

    /// On a machine without a driver CUDA says so; where there is one, it computes.
    @Test func cudaComputesOrSaysWhyNot() throws {
        do throws(DeviceError) {
            try TorchLibrary.prepare(TorchDevice(.cuda))
        } catch {
            #expect(error.code == .device || error.code == .library)
            #expect(error.description.contains("driver") || error.description.contains("CUDA"), "\(error)")
        }
    }

    /// Who has computed on the processor first can still open CUDA: it is the driver alone that may be missing.
    @Test func cudaMayBeOpenedSecond() throws {
        let opened = try #require(TorchLibrary.opened)
        try TorchLibrary.prepare(TorchDevice(.cpu))
        // A convolution asks for cuDNN, after which PyTorch looks for CUDA no more.
        let kernel = PreparedConvolution(Tensor(filled: 1, shape: [2, 2, 3, 3]).moved(to: .torch(TorchDevice(.cpu))))
        #expect(conv2d(Tensor(filled: 1, shape: [1, 4, 4, 2]), kernel, padding: .uniform(1)).values[0] == 8)
        guard opened.hasCUDA else { return }
        do throws(DeviceError) {
            try TorchLibrary.prepare(TorchDevice(.cuda))
        } catch {
            #expect(!error.description.contains("ATen_cuda"), "\(error)")
        }
    }

    /// float32 is float32, whatever the environment says, unless TF32 was asked for.
    @Test func tf32IsOffUnlessAskedFor() throws {
        let opened = try #require(TorchLibrary.opened)
        #expect(!opened.hasTF32)
        for (name, value) in TorchLibrary.tf32Environment(false) {
            #expect(getenv(name).map { String(cString: $0) } == value, "\(name)")
        }
        let asked = Dictionary(uniqueKeysWithValues: TorchLibrary.tf32Environment(true).map { ($0.name, $0.value) })
        #expect(asked == ["TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1", "NVIDIA_TF32_OVERRIDE": nil])
        // One answer for the process.
        let error = #expect(throws: DeviceError.self) { try TorchLibrary.open(folder: opened.folder, tf32: true) }
        #expect(error?.description.contains("without TF32 already") == true)
    }
}
