package import Diffusion
package import Tensors

/// The trained values of one adapted layer whose weight W is [out, in].
package struct AdapterLayer: Sendable {
    /// A, [rank, in].
    package var down: Tensor
    /// B, [out, rank].
    package var up: Tensor
    /// m, [out]: the length of each row (DoRA only).
    package var magnitude: Tensor?

    package init(down: Tensor, up: Tensor, magnitude: Tensor?) {
        self.down = down
        self.up = up
        self.magnitude = magnitude
    }

    package var rank: Int { down.shape[0] }
}

/// A LoRA or DoRA adapter of a UNet: low-rank factors by layer path.
package struct Adapter: Sendable {
    package let kind: AdapterKind
    package let rank: Int
    package let alpha: Float
    /// The modules that were adapted, as PEFT's `target_modules` names them.
    package let targetModules: [String]
    package var layers: [String: AdapterLayer]

    package init(
        kind: AdapterKind, rank: Int, alpha: Float, targetModules: [String], layers: [String: AdapterLayer]
    ) {
        self.kind = kind
        self.rank = rank
        self.alpha = alpha
        self.targetModules = targetModules
        self.layers = layers
    }

    /// s = α/r, the factor on BA.
    package var scale: Float { alpha / Float(rank) }

    /// Layer paths in the one order that optimizer, checkpoints and files share.
    package var paths: [String] { layers.keys.sorted() }

    /// Checks that every layer exists in the model and that every tensor fits it.
    package func validate(against linears: [String: Linear]) throws(AdapterError) {
        for path in paths {
            guard let layer = layers[path] else { continue }
            guard let linear = linears[path] else { throw .noSuchLayer(path: path) }
            let (outputs, inputs) = (linear.prepared.outputs, linear.prepared.inputs)
            func check(_ name: String, _ tensor: Tensor, _ expected: [Int]) throws(AdapterError) {
                guard tensor.shape == expected else {
                    throw .wrongShape(path: path, tensor: name, found: tensor.shape, expected: expected)
                }
            }
            try check("lora_A", layer.down, [rank, inputs])
            try check("lora_B", layer.up, [outputs, rank])
            if let magnitude = layer.magnitude { try check("lora_magnitude_vector", magnitude, [outputs]) }
        }
    }
}

/// One trained tensor with the name that files give it.
package struct AdapterParameter: Sendable {
    package let name: String
    package let value: Tensor
}

extension Adapter {
    /// Every trained tensor in file order: by path, then A, B, magnitude.
    package var parameters: [AdapterParameter] {
        paths.flatMap { path -> [AdapterParameter] in
            guard let layer = layers[path] else { return [] }
            var parameters = [
                AdapterParameter(name: path + AdapterKey.down, value: layer.down),
                AdapterParameter(name: path + AdapterKey.up, value: layer.up),
            ]
            if let magnitude = layer.magnitude {
                parameters.append(AdapterParameter(name: path + AdapterKey.magnitude, value: magnitude))
            }
            return parameters
        }
    }

    /// The same adapter with other values, given in the order of `parameters`.
    package func replacing(_ values: [Tensor]) -> Adapter {
        var copy = self
        var next = values.makeIterator()
        func take(_ old: Tensor) -> Tensor {
            guard let new = next.next() else { preconditionFailure("fewer values than parameters") }
            precondition(new.shape == old.shape, "a parameter keeps its shape")
            return new
        }
        for path in paths {
            guard let layer = layers[path] else { continue }
            let down = take(layer.down)
            let up = take(layer.up)
            copy.layers[path] = AdapterLayer(down: down, up: up, magnitude: layer.magnitude.map(take))
        }
        return copy
    }
}

/// Suffixes of an adapter's tensor names, as PEFT and diffusers write them.
enum AdapterKey {
    static let down = ".lora_A.weight"
    static let up = ".lora_B.weight"
    static let magnitude = ".lora_magnitude_vector"
}
