import Tensors

/// Two normalized 3×3 convolutions around an optional time embedding, beside a shortcut (ResnetBlock2D).
struct ResnetBlock: Sendable {
    let norm1, norm2: GroupNorm
    let conv1, conv2: Conv2D
    let timeProjection: Linear?
    let shortcut: Conv2D?

    /// - Parameter timeWidth: width of the time embedding; nil in the VAE, which has none.
    init(
        _ weights: Weights, inputs: Int, outputs: Int, timeWidth: Int?, groups: Int, epsilon: Float
    ) throws(ModelError) {
        norm1 = try GroupNorm(weights.scope("norm1"), inputs, groups: groups, epsilon: epsilon, activation: .silu)
        conv1 = try Conv2D(weights.scope("conv1"), inputs: inputs, outputs: outputs)
        if let timeWidth {
            timeProjection = try Linear(weights.scope("time_emb_proj"), inputs: timeWidth, outputs: outputs)
        } else {
            timeProjection = nil
        }
        norm2 = try GroupNorm(weights.scope("norm2"), outputs, groups: groups, epsilon: epsilon, activation: .silu)
        conv2 = try Conv2D(weights.scope("conv2"), inputs: outputs, outputs: outputs)
        shortcut =
            inputs == outputs
            ? nil : try Conv2D(weights.scope("conv_shortcut"), inputs: inputs, outputs: outputs, kernel: 1)
    }

    /// - Parameter time: the time embedding after SiLU, `[N, timeWidth]`, or that of each part of N that repeats.
    func callAsFunction(_ x: Tensor, time: Tensor? = nil) -> Tensor {
        var hidden = conv1(norm1(x))
        if let time, let timeProjection {
            hidden = add(hidden, perSample: timeProjection(time).repeated(toBatch: hidden.shape[0]))
        }
        return (shortcut?(x) ?? x) + conv2(norm2(hidden))
    }
}

/// A strided convolution that halves height and width.
struct Downsample: Sendable {
    private let conv: Conv2D

    init(_ weights: Weights, channels: Int, padding: Padding) throws(ModelError) {
        conv = try Conv2D(
            weights.scope("conv"), inputs: channels, outputs: channels, stride: 2, padding: padding)
    }

    func callAsFunction(_ x: Tensor) -> Tensor { conv(x) }
}

/// Nearest-neighbor doubling of height and width, then a convolution.
struct Upsample: Sendable {
    private let conv: Conv2D

    init(_ weights: Weights, channels: Int) throws(ModelError) {
        conv = try Conv2D(weights.scope("conv"), inputs: channels, outputs: channels)
    }

    func callAsFunction(_ x: Tensor) -> Tensor { conv(upsampleNearest2x(x)) }

    /// To a size of its own, as torch's nearest interpolation picks the pixels.
    func callAsFunction(_ x: Tensor, height: Int, width: Int) -> Tensor {
        let (images, high, wide) = (x.shape[0], x.shape[1], x.shape[2])
        if height == 2 * high, width == 2 * wide { return self(x) }
        func sources(_ count: Int, from size: Int) -> [Int] {
            let scale = Float(size) / Float(count)
            return (0..<count).map { min(Int(Float($0) * scale), size - 1) }
        }
        let (rows, columns) = (sources(height, from: high), sources(width, from: wide))
        let ids = (0..<images).flatMap { image in
            rows.flatMap { row in columns.map { Int32((image * high + row) * wide + $0) } }
        }
        let pixels = x.reshaped([images * high * wide, x.channels])
        return conv(embedding(pixels, ids, shape: [images, height, width]))
    }
}
