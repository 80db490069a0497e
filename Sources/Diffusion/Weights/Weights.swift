package import Foundation
package import Tensors
import Synchronization

/// Changes the weights of linear layers and convolutions while a model is loaded, such as folding an adapter into them.
package protocol WeightFolding: Sendable {
    /// - Parameters:
    ///   - weight: `[out, in]`, or `[out, in, height, width]` of a convolution.
    ///   - path: the layer, as in `down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q`; in text encoders without
    ///     the `text_model.` that some files put in front.
    ///   - component: the network that the layer belongs to.
    /// - Returns: the weight to use, of the same shape.
    /// - Throws: where what is to be folded does not fit the weight.
    func fold(_ weight: Tensor, at path: String, of component: ModelComponent) throws(ModelError) -> Tensor
}

/// The tensors of one component of a model folder, read by checkpoint key.
///
/// A network asks for each tensor with the shape that its configuration calls for; what is missing, misshaped or left
/// over is an error that names it.
package struct Weights: Sendable {
    private let source: Source
    /// The prefix of keys, without the last dot.
    package let path: String
    /// What layers made from them compute their products in.
    package let precision: Precision
    /// Where they compute.
    package let device: Device

    private init(source: Source, path: String, precision: Precision, device: Device) {
        (self.source, self.path, self.precision, self.device) = (source, path, precision, device)
    }

    /// Where and in which type the networks that are made from them compute.
    package var placement: Placement { Placement(device, precision) }

    /// Opens the weights of a component in its folder, as `WeightFiles` finds them.
    ///
    /// - Parameters:
    ///   - component: whose weights they are.
    ///   - folder: the component's.
    ///   - variant: which copy, where there are several.
    ///   - folding: an adapter that is folded into the weights as they are read.
    ///   - lowMemory: layers keep weights that are stored in 16 bits in 16 bits.
    ///   - precision: what layers compute their products in.
    ///   - device: where they compute.
    package init(
        _ component: ModelComponent, folder: URL, variant: String? = nil, folding: (any WeightFolding)? = nil,
        lowMemory: Bool = false, precision: Precision = .float32, device: Device = .cpu
    ) throws(ModelError) {
        var opened: [SafetensorsFile] = []
        for url in try WeightFiles(folder, component).chosen(variant) { opened.append(try SafetensorsFile(url)) }
        let folding = folding.map { (component, $0) }
        self.init(
            source: Source(files: opened, folder: folder.path, folding: folding, lowMemory: lowMemory), path: "",
            precision: precision, device: device)
    }

    /// Opens the weights of an encoder in a folder of transformers.
    package init(encoder folder: URL, variant: String? = nil) throws(ModelError) {
        var opened: [SafetensorsFile] = []
        for url in try WeightFiles(encoder: folder).chosen(variant) { opened.append(try SafetensorsFile(url)) }
        self.init(
            source: Source(files: opened, folder: folder.path, folding: nil, lowMemory: false), path: "",
            precision: .float32, device: .cpu)
    }

    /// Tensors in memory, for tests and tools.
    package init(tensors: [String: Tensor], precision: Precision = .float32, device: Device = .cpu) {
        self.init(source: Source(tensors: tensors), path: "", precision: precision, device: device)
    }

    package func scope(_ name: String) -> Weights {
        Weights(source: source, path: path.isEmpty ? name : "\(path).\(name)", precision: precision, device: device)
    }

    package func scope(_ name: String, _ index: Int) -> Weights { scope("\(name).\(index)") }

    /// Whether any key starts here.
    package var exists: Bool { source.names.contains { $0 == path || $0.hasPrefix(path + ".") } }

    package func has(_ name: String) -> Bool { source.names.contains(key(name)) }

    /// The tensor at `name`, which must have just this shape, where the network computes.
    package func tensor(_ name: String, _ shape: [Int]) throws(ModelError) -> Tensor {
        placement(try stored(name, shape))
    }

    /// The same as it was stored.
    private func stored(_ name: String, _ shape: [Int]) throws(ModelError) -> Tensor {
        let key = key(name)
        let tensor = try source.take(key)
        guard tensor.shape == shape else {
            throw ModelError(
                .wrongShape, at: source.folder,
                "tensor '\(key)' has shape \(tensor.shape) where the configuration calls for \(shape)")
        }
        return tensor
    }

    /// The weight of the linear layer or convolution here, with an adapter folded in where there is one.
    package func layerWeight(_ shape: [Int]) throws(ModelError) -> Tensor {
        let weight = try stored("weight", shape)
        guard let (component, folding) = source.folding else { return placement(weight) }
        let prefix = "text_model."
        let layer = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
        return placement(try folding.fold(weight, at: layer, of: component))
    }

    /// What a layer of float32 should keep the tensor at `name` in.
    package func storage(_ name: String) -> WeightPrecision { source.storage(key(name)) }

    /// Call when the network is built: a tensor that nobody asked for means that the configuration does not fit.
    package func checkAllUsed(ignoring allowed: (String) -> Bool = { _ in false }) throws(ModelError) {
        if let name = source.unused.filter({ !allowed($0) }).min() {
            throw ModelError(.unusedTensor, at: source.folder, "tensor '\(name)' has no place in this configuration")
        }
    }

    private func key(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    private final class Source: Sendable {
        let folder: String
        let folding: (ModelComponent, any WeightFolding)?
        let names: Set<String>
        private let files: [String: SafetensorsFile]
        private let allFiles: [SafetensorsFile]
        private let tensors: [String: Tensor]
        private let lowMemory: Bool
        private let used = Mutex<Set<String>>([])
        /// Bytes read since the pages of the files were last given back: layers repack what they take, and a model must
        /// not be in memory twice.
        private let bytesRead = Mutex(0)
        private static let largestMapped = 128 << 20

        init(
            files: [SafetensorsFile], folder: String, folding: (ModelComponent, any WeightFolding)?, lowMemory: Bool
        ) {
            self.folder = folder
            self.lowMemory = lowMemory
            self.folding = folding
            var byName: [String: SafetensorsFile] = [:]
            for file in files { for name in file.entries.keys { byName[name] = file } }
            self.files = byName
            allFiles = files
            tensors = [:]
            names = Set(byName.keys)
        }

        init(tensors: [String: Tensor]) {
            (folder, folding, files, allFiles, self.tensors, lowMemory) = ("", nil, [:], [], tensors, false)
            names = Set(tensors.keys)
        }

        func take(_ name: String) throws(ModelError) -> Tensor {
            used.withLock { _ = $0.insert(name) }
            if let tensor = tensors[name] { return tensor }
            guard let file = files[name] else {
                throw ModelError(.missingTensor, at: folder, "lacks the tensor '\(name)'")
            }
            let isLarge = bytesRead.withLock { bytes in
                bytes += file.entries[name]?.range.count ?? 0
                guard bytes > Self.largestMapped else { return false }
                bytes = 0
                return true
            }
            if isLarge { for file in allFiles { file.release() } }
            return try file.weight(name)
        }

        func storage(_ name: String) -> WeightPrecision {
            guard lowMemory else { return .float32 }
            return switch files[name]?.entries[name]?.type {
            case .float16: .float16
            case .bfloat16: .bfloat16
            default: .float32
            }
        }

        var unused: Set<String> { used.withLock { names.subtracting($0) } }
    }
}
