/// Memory of a back end; freed when it goes.
protocol RemoteMemory: AnyObject, Sendable {
    var backend: any Backend { get }
}

/// What computes with tensors that are not in host memory: each op's value and vector-Jacobian product, without the tape. The
/// tape, and whatever is composed of these, is the same for all devices.
///
/// An op runs where its operands are; an operand in host memory is copied there first. Nothing waits for a device but what
/// hands values to the host: ``download(_:into:)`` and ``squaredDistancePerSample(_:_:)``. Nothing throws: a failure is kept in
/// ``failure``, and results after it are NaN.
protocol Backend: AnyObject, Sendable {
    var device: Device { get }
    /// The first thing that went wrong.
    var failure: DeviceError? { get }
    func forgetFailure()

    // Memory
    func upload(_ x: Tensor, as dtype: DType) -> Tensor
    func download(_ x: Tensor, into out: UnsafeMutablePointer<Float>)
    func cast(_ x: Tensor, to dtype: DType) -> Tensor

    // Element by element
    func apply(_ function: ElementFunction, to x: Tensor) -> Tensor
    /// From the gradient of `function(x)` to that of x.
    func applyVJP(_ function: ElementFunction, _ x: Tensor, _ gradient: Tensor) -> Tensor
    func combine(_ a: Tensor, _ b: Tensor, _ operation: ElementOperation) -> Tensor
    func scaled(_ x: Tensor, by factor: Float) -> Tensor
    func shifted(_ x: Tensor, by term: Float) -> Tensor
    func clamped(_ x: Tensor, _ limit: Float) -> Tensor
    func clampedVJP(_ x: Tensor, _ gradient: Tensor, _ limit: Float) -> Tensor
    func geglu(_ x: Tensor) -> Tensor
    func gegluVJP(_ x: Tensor, _ gradient: Tensor) -> Tensor

    // Rows, columns, samples
    func add(_ x: Tensor, perSample vectors: Tensor) -> Tensor
    func sumPerSample(_ x: Tensor) -> Tensor
    func sumRows(_ x: Tensor) -> Tensor
    func rowDots(_ a: Tensor, _ b: Tensor) -> Tensor
    func scaleRows(_ matrix: Tensor, by factors: Tensor) -> Tensor
    func scaleColumns(_ x: Tensor, gain: Tensor, bias: Tensor?) -> Tensor
    func columnDots(_ a: Tensor, _ b: Tensor, shift: Tensor?) -> Tensor
    func mix(_ a: Tensor, _ b: Tensor, by factors: [(Float, Float)]) -> Tensor
    func scaleSamples(_ x: Tensor, by factors: [Float]) -> Tensor
    func squaredDistancePerSample(_ a: Tensor, _ b: Tensor) -> [Double]

    // Products
    func matmul(_ a: Tensor, _ b: Tensor, transposeA: Bool, transposeB: Bool) -> Tensor
    /// - Parameter weight: `[out, in]`.
    func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor?) -> Tensor
    /// A convolution's kernel `[out, in, kh, kw]` as this back end multiplies with it.
    func kernel(_ oihw: Tensor) -> Tensor
    func convolution(_ x: Tensor, kernel: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) -> Tensor
    func convolutionInputGradient(_ gradient: Tensor, kernel: Tensor, _ geometry: ConvolutionGeometry) -> Tensor
    /// `[out, in, kh, kw]`.
    func convolutionKernelGradient(
        _ gradient: Tensor, _ x: Tensor, kernel: Tensor, _ geometry: ConvolutionGeometry
    ) -> Tensor
    /// The result, and what the backward pass wants to know of it.
    func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool) -> [Tensor]
    func attentionVJP(
        _ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, kept: [Tensor], heads: Int, causal: Bool
    ) -> [Tensor?]

    // Norms
    func groupNorm(
        _ x: Tensor, groups: Int, scale: Tensor, shift: Tensor, epsilon: Float, activation: Activation
    ) -> NormResult
    func groupNormVJP(
        _ gradient: Tensor, _ x: Tensor, groups: Int, scale: Tensor, shift: Tensor, _ statistics: NormResult.Statistics,
        activation: Activation, needsParameters: Bool
    ) -> [Tensor?]
    func layerNorm(_ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Float) -> NormResult
    func layerNormVJP(
        _ gradient: Tensor, _ x: Tensor, scale: Tensor, shift: Tensor, _ statistics: NormResult.Statistics,
        needsParameters: Bool
    ) -> [Tensor?]
    func softmax(_ x: Tensor) -> Tensor
    /// - Parameter value: the softmax.
    func softmaxVJP(_ value: Tensor, _ gradient: Tensor) -> Tensor

    // Shape
    func embedding(_ table: Tensor, _ ids: [Int32]) -> Tensor
    /// - Parameter gradient: `[ids, C]`.
    func embeddingVJP(_ gradient: Tensor, _ ids: [Int32], entries: Int) -> Tensor
    func upsampled2x(_ x: Tensor) -> Tensor
    func upsampled2xVJP(_ gradient: Tensor) -> Tensor
    func concatenated(_ parts: [Tensor], _ axis: Axis) -> Tensor
    func sliced(_ x: Tensor, _ range: Range<Int>, _ axis: Axis) -> Tensor
    /// Zeros of a shape but for `x` at a range of the axis.
    func placed(_ x: Tensor, at range: Range<Int>, _ axis: Axis, of shape: [Int]) -> Tensor
    func transposed(_ matrix: Tensor) -> Tensor
    func permutedImages(_ x: Tensor, toChannelsLast: Bool) -> Tensor
}

/// The dimensions along which tensors are cut and put together.
enum Axis: Sendable {
    case batch
    case channels
}

/// A normalization's result with the means and 1/σ that it was made from.
struct NormResult: Sendable {
    struct Statistics: Sendable {
        let mean, inverse: Tensor
    }

    let value: Tensor
    let statistics: Statistics
}
