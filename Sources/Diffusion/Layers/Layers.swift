package import Tensors

/// A trained change to one linear layer, applied as it runs.
package protocol LinearAdapter: Sendable {
    /// - Parameters:
    ///   - x: `[…, in]`.
    ///   - base: the frozen layer.
    /// - Returns: `[…, out]`, what the changed layer gives.
    func callAsFunction(_ x: Tensor, base: Linear) -> Tensor
}

/// A linear layer that knows its checkpoint path.
package struct Linear: Sendable {
    package let path: String
    /// As products read it.
    package let prepared: PreparedLinear
    /// `[out]`.
    package let bias: Tensor?

    package init(path: String, weight: Tensor, bias: Tensor?, precision: Precision = .float32) {
        (self.path, prepared, self.bias) = (path, PreparedLinear(weight, precision: precision), bias)
    }

    init(_ weights: Weights, inputs: Int, outputs: Int, bias: Bool = true) throws(ModelError) {
        path = weights.path
        prepared = PreparedLinear(
            try weights.layerWeight([outputs, inputs]), keptAs: weights.storage("weight"),
            precision: weights.precision)
        self.bias = bias ? try weights.tensor("bias", [outputs]) : nil
    }

    /// The weight as the checkpoint has it, `[out, in]`: unpacked at each call.
    package var weight: Tensor { prepared.values }

    func callAsFunction(_ x: Tensor) -> Tensor { linear(x, prepared, bias: bias) }

    func callAsFunction(_ x: Tensor, _ context: ForwardContext) -> Tensor {
        context.adapters[path]?(x, base: self) ?? self(x)
    }
}

struct LayerNorm: Sendable {
    let scale, shift: Tensor
    let epsilon: Float

    init(_ weights: Weights, _ width: Int, epsilon: Float = 1e-5) throws(ModelError) {
        scale = try weights.tensor("weight", [width])
        shift = try weights.tensor("bias", [width])
        self.epsilon = epsilon
    }

    func callAsFunction(_ x: Tensor) -> Tensor { layerNorm(x, scale: scale, shift: shift, epsilon: epsilon) }
}

struct GroupNorm: Sendable {
    let groups: Int
    let scale, shift: Tensor
    let epsilon: Float
    let activation: Activation

    init(
        _ weights: Weights, _ channels: Int, groups: Int, epsilon: Float, activation: Activation = .none
    ) throws(ModelError) {
        guard groups > 0, channels.isMultiple(of: groups) else {
            throw ModelError(
                .unsupported, at: weights.path, "norm_num_groups \(groups) does not divide \(channels) channels")
        }
        scale = try weights.tensor("weight", [channels])
        shift = try weights.tensor("bias", [channels])
        (self.groups, self.epsilon, self.activation) = (groups, epsilon, activation)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        groupNorm(x, groups: groups, scale: scale, shift: shift, epsilon: epsilon, activation: activation)
    }
}

struct Conv2D: Sendable {
    let weight: PreparedConvolution
    let bias: Tensor
    let stride: Int
    let padding: Padding
    /// Layers that meet latents or pixels cost little and stay float32: what they round is what everybody sees.
    private static let fewChannels = 16

    init(
        _ weights: Weights, inputs: Int, outputs: Int, kernel: Int = 3, stride: Int = 1, padding: Padding? = nil
    ) throws(ModelError) {
        weight = PreparedConvolution(
            try weights.layerWeight([outputs, inputs, kernel, kernel]), keptAs: weights.storage("weight"),
            precision: min(inputs, outputs) < Self.fewChannels ? .float32 : weights.precision)
        bias = try weights.tensor("bias", [outputs])
        self.stride = stride
        self.padding = padding ?? .uniform(kernel / 2)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        conv2d(x, weight, bias: bias, stride: stride, padding: padding)
    }
}
