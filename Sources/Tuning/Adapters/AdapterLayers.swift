import Diffusion
import Tensors

/// The tensors of an adapter file by network and layer, until they are an adapter.
struct AdapterLayers {
    /// What is there of one layer.
    private struct Parts {
        var tensors: [AdapterTensorName.Part: Tensor] = [:]
        var alpha: Double?
    }

    private let file: String
    private var layers: [ModelComponent: [String: Parts]] = [:]

    init(file: String) { self.file = file }

    mutating func add(_ tensor: Tensor, as name: AdapterTensorName) throws(AdapterError) {
        var parts = layers[name.component]?[name.path] ?? Parts()
        guard parts.tensors.updateValue(tensor, forKey: name.part) == nil else { throw twice(name) }
        layers[name.component, default: [:]][name.path] = parts
    }

    mutating func add(alpha: Double, as name: AdapterTensorName) throws(AdapterError) {
        var parts = layers[name.component]?[name.path] ?? Parts()
        guard parts.alpha == nil else { throw twice(name) }
        parts.alpha = alpha
        layers[name.component, default: [:]][name.path] = parts
    }

    private func twice(_ name: AdapterTensorName) -> AdapterError {
        .unreadable(
            file: file,
            reason:
                "it holds layer \(name.component.rawValue) \(name.path) twice, under two names: save one adapter a file"
        )
    }

    /// - Parameter settings: by network, where the file or its folder states them.
    func assembled(_ settings: [ModelComponent: AdapterSettings]) throws(AdapterError) -> StoredAdapter {
        var found: [ModelComponent: [String: StoredAdapter.Layer]] = [:]
        for (component, layers) in layers.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let own = settings[component]
            var read: [String: StoredAdapter.Layer] = [:]
            for (path, parts) in layers.sorted(by: { $0.key < $1.key }) {
                read[path] = try layer("\(component.rawValue) \(path)", path, parts, own)
            }
            if own?.useDora == true, let plain = read.keys.sorted().first(where: { read[$0]?.factors.magnitude == nil })
            {
                throw .incompleteLayer(path: plain, missing: "lora_magnitude_vector", file: file)
            }
            found[component] = read
        }
        guard !found.isEmpty else { throw .unreadable(file: file, reason: "it holds no layers") }
        return StoredAdapter(
            file: file, layers: found, targetModules: settings[.unet]?.targetModules ?? [],
            isRankStabilized: settings.values.contains(where: \.isRankStabilized))
    }

    private func layer(
        _ name: String, _ path: String, _ parts: Parts, _ settings: AdapterSettings?
    ) throws(AdapterError) -> StoredAdapter.Layer {
        func unusable(_ reason: String) -> AdapterError { .unreadable(file: file, reason: "layer \(name) \(reason)") }
        guard var down = parts.tensors[.down] else { throw .incompleteLayer(path: name, missing: "lora_A", file: file) }
        guard let up = parts.tensors[.up] else { throw .incompleteLayer(path: name, missing: "lora_B", file: file) }
        let rank = up.shape.count > 1 ? up.shape[1] : 0
        guard [2, 4].contains(down.shape.count), [2, 4].contains(up.shape.count), rank > 0,
            up.shape.dropFirst(2).allSatisfy({ $0 == 1 }), up.count > 0, down.count > 0
        else { throw unusable("has factors \(down.shape) and \(up.shape), not those of a linear layer or convolution") }
        if let middle = parts.tensors[.middle] {
            guard middle.shape.count == 4, middle.shape[0] == rank, middle.shape[1] == down.shape[0],
                down.shape.dropFirst(2).allSatisfy({ $0 == 1 }), middle.count > 0
            else { throw unusable("has factors \(down.shape), \(middle.shape) and \(up.shape), which do not fit") }
            down = joined(middle, down)
        }
        guard down.shape[0] == rank else {
            throw unusable("has factors \(down.shape) and \(up.shape), which do not fit each other")
        }
        let outputs = up.shape[0]
        let magnitude = try magnitude(parts, outputs: outputs, inputs: down.shape[1], unusable)
        let stated = try settings?.alpha(of: path, file: file)
        let alpha = parts.alpha ?? stated ?? Double(rank)
        guard Float(alpha).isFinite else { throw unusable("has alpha \(alpha)") }
        let isStable = settings?.isRankStabilized == true
        return StoredAdapter.Layer(
            factors: AdapterLayer(
                down: down.reshaped([rank, down.count / rank]), up: up.reshaped([outputs, rank]), magnitude: magnitude),
            kernel: Array(down.shape.dropFirst(2)), alpha: alpha,
            scale: isStable ? Float(alpha / Double(rank).squareRoot()) : Float(alpha) / Float(rank))
    }

    private func magnitude(
        _ parts: Parts, outputs: Int, inputs: Int, _ unusable: (String) -> AdapterError
    ) throws(AdapterError) -> Tensor? {
        if let magnitude = parts.tensors[.magnitude] {
            guard magnitude.count == outputs else {
                throw unusable("has a magnitude \(magnitude.shape) for \(outputs) outputs")
            }
            return magnitude.reshaped([outputs])
        }
        guard let scale = parts.tensors[.doraScale] else { return nil }
        let shape = scale.shape
        if shape.count > 1, shape[0] == 1, shape[1] == inputs, scale.count == inputs, inputs > 1 || outputs > 1 {
            throw unusable(
                "has dora_scale \(shape), one length an input: Attune, PEFT and diffusers have one an output "
                    + "(LyCORIS: train with wd_on_output=True)")
        }
        guard scale.count == outputs, shape.first == outputs else {
            throw unusable("has dora_scale \(shape) for \(outputs) outputs")
        }
        return scale.reshaped([outputs])
    }

    /// The CP decomposition's first two factors as one: A[p, i, y, x] = Σ_q M[p, q, y, x]·A′[q, i].
    private func joined(_ middle: Tensor, _ down: Tensor) -> Tensor {
        let (rank, inner, inputs, kernel) = (middle.shape[0], middle.shape[1], down.shape[1], middle.shape[2...])
        let taps = kernel.reduce(1, *)
        let taken = middle.reshaped([rank, inner, taps, 1]).channelsLast.reshaped([rank * taps, inner])
        let product = matmul(taken, down.reshaped([inner, inputs]))
        return product.reshaped([rank, taps, 1, inputs]).channelsFirst.reshaped([rank, inputs] + kernel)
    }
}
