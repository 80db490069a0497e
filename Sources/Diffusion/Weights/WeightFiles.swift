import Foundation

/// A component of a model folder that has weights.
package enum ModelComponent: String, Sendable, CaseIterable {
    case textEncoder = "text_encoder"
    case textEncoder2 = "text_encoder_2"
    case unet
    case vae

    /// What its weight files may be called, the first the usual one.
    var weightNames: [String] {
        switch self {
        case .textEncoder, .textEncoder2: ["model", "pytorch_model"]
        case .unet, .vae: ["diffusion_pytorch_model", "model"]
        }
    }
}

/// Which files hold the weights of one component, by the names that diffusers and transformers give them.
///
/// `<name>.safetensors` is the plain copy, `<name>.<variant>.safetensors` another one; an index beside it,
/// `<name>.safetensors.index.json` or `<name>.safetensors.index.<variant>.json` (once `….<variant>.index.json`), names
/// the parts of a copy in several files.
struct WeightFiles {
    private let folder: URL
    /// What the files may be called, the first the usual one.
    private let stems: [String]
    private let names: [String]
    /// What a complete folder is, and how Python opens it, for messages.
    private let kind: (folder: String, opening: String)

    /// - Throws: where the folder is missing or cannot be listed.
    init(_ folder: URL, _ component: ModelComponent) throws(ModelError) {
        let pipeline = folder.deletingLastPathComponent().path
        try self.init(
            folder, component.weightNames,
            (
                "diffusers model folder",
                "diffusers.DiffusionPipeline.from_pretrained('\(pipeline)', use_safetensors=False"
            ))
    }

    /// An encoder that stands alone, as transformers saves it.
    ///
    /// - Throws: where the folder is missing or cannot be listed.
    init(encoder folder: URL) throws(ModelError) {
        try self.init(
            folder, ["model", "pytorch_model"],
            ("folder of transformers", "transformers.AutoModel.from_pretrained('\(folder.path)', use_safetensors=False")
        )
    }

    private init(
        _ folder: URL, _ stems: [String], _ kind: (folder: String, opening: String)
    ) throws(ModelError) {
        guard let names = try ModelFile.list(folder) else {
            throw ModelError(
                .missingFile, at: folder.path, "this folder is missing: is this a complete \(kind.folder)?")
        }
        (self.folder, self.stems, self.names, self.kind) = (folder, stems, names, kind)
    }

    /// The variants that lie here, sorted.
    var variants: [String] {
        var found: Set<String> = []
        for name in stems {
            for file in names {
                let index =
                    file.between("\(name).safetensors.index.", ".json")
                    ?? file.between("\(name).safetensors.", ".index.json")
                if let index { found.insert(index) }
                if let single = file.between("\(name).", ".safetensors"), !single.contains("."),
                    single.firstMatch(of: Self.part) == nil
                {
                    found.insert(single)
                }
            }
        }
        return found.sorted()
    }

    /// The end of the name of one part of several.
    private static var part: Regex<Substring> { /-\d{5}-of-\d{5}$/ }

    /// The files to read, in the order of their names.
    ///
    /// - Parameter variant: the one that is wanted; where it is not here the plain copy is taken, as diffusers does.
    ///   With nil the plain copy, or else the only variant that is here.
    func chosen(_ variant: String?) throws(ModelError) -> [URL] {
        if let variant, let files = try copy(variant) { return files }
        if let files = try copy(nil) { return files }
        let variants = variants
        if variant == nil, variants.count == 1, let files = try copy(variants[0]) { return files }
        let plain = "\(stems[0]).safetensors"
        if !variants.isEmpty {
            let list = variants.joined(separator: ", ")
            throw ModelError(
                .missingFile, at: folder.path,
                variant.map { "has no \(plain) and no variant '\($0)'; use --variant with one of: \(list)" }
                    ?? "has no \(plain) but the variants \(list): choose one with --variant")
        }
        throw ModelError(.missingFile, at: folder.path, explanation(plain))
    }

    private func copy(_ variant: String?) throws(ModelError) -> [URL]? {
        let mark = variant.map { ".\($0)" } ?? ""
        for name in stems {
            let single = "\(name)\(mark).safetensors"
            if names.contains(single) { return [folder.appendingPathComponent(single)] }
            let indices = ["\(name).safetensors.index\(mark).json", "\(name).safetensors\(mark).index.json"]
            if let index = indices.first(where: names.contains) {
                let files = try ShardIndex(folder.appendingPathComponent(index)).files
                return files.map { folder.appendingPathComponent($0) }
            }
        }
        return nil
    }

    /// What is here instead of weights that can be read, and what to do.
    private func explanation(_ plain: String) -> String {
        if let part = names.first(where: { $0.hasSuffix(".safetensors") && $0.contains("-of-") }) {
            return "has \(part) but no \(plain).index.json, which names the parts: copy the index too"
        }
        let pickles = names.filter { name in
            [".bin", ".pt", ".pth", ".ckpt", ".bin.index.json"].contains { name.hasSuffix($0) }
        }
        if let pickle = pickles.first(where: { name in stems.contains { name.hasPrefix($0) } }) ?? pickles.first {
            let variant = stems.compactMap { pickle.between("\($0).", ".bin") }.first.map { ", variant='\($0)'" } ?? ""
            return
                "has no \(plain) but \(pickle), a PyTorch pickle, which Attune does not open; convert the model in Python: "
                + "\(kind.opening)\(variant)).save_pretrained('NEW_FOLDER')"
        }
        for (ending, kind) in [
            (".msgpack", "Flax weights"), (".h5", "TensorFlow weights"), (".onnx", "an ONNX network"),
            (".xml", "an OpenVINO network"), (".gguf", "GGUF weights"), (".mlmodelc", "a Core ML network"),
        ] {
            guard let file = names.first(where: { $0.hasSuffix(ending) }) else { continue }
            return "has no \(plain) but \(file), \(kind): get the model's safetensors files"
        }
        for ending in [".incomplete", ".part", ".aria2", ".crdownload", ".tmp"] {
            guard let file = names.first(where: { $0.hasSuffix(ending) }) else { continue }
            return "has no \(plain) but \(file): the download was not finished; run it again"
        }
        if let other = names.first(where: { $0.hasSuffix(".safetensors") }) {
            return "has no \(plain) but \(other): name it so if it holds this component's weights"
        }
        let expected = stems.map { "\($0).safetensors" }.joined(separator: " or ")
        return "has no \(expected): is this a complete \(kind.folder)?"
    }

    /// Refuses a variant that no component of a model has.
    static func checkVariant(_ variant: String?, of folder: URL) throws(ModelError) {
        guard let variant else { return }
        guard !variant.isEmpty, variant.allSatisfy({ $0.isLetter || $0.isNumber || "_-".contains($0) }) else {
            throw ModelError(.unsupported, at: folder.path, "'\(variant)' is not the name of a variant, such as fp16")
        }
        var found: Set<String> = []
        for component in ModelComponent.allCases {
            let place = folder.appendingPathComponent(component.rawValue)
            if try ModelFile.list(place) != nil { found.formUnion(try WeightFiles(place, component).variants) }
        }
        guard !found.contains(variant) else { return }
        let list = found.isEmpty ? "it has none" : "it has \(found.sorted().joined(separator: ", "))"
        throw ModelError(.missingFile, at: folder.path, "no component has the variant '\(variant)'; \(list)")
    }
}

extension String {
    /// What stands between two ends, nil where the text does not have them or nothing is between.
    fileprivate func between(_ start: String, _ end: String) -> String? {
        guard hasPrefix(start), hasSuffix(end), count > start.count + end.count else { return nil }
        return String(dropFirst(start.count).dropLast(end.count))
    }
}

/// The index of weights that are split over several files.
private struct ShardIndex {
    let files: [String]

    init(_ url: URL) throws(ModelError) {
        struct Document: Decodable { var weight_map: [String: String] }
        let data = try ModelFile.read(url)
        do {
            let document = try JSONDecoder().decode(Document.self, from: data)
            files = Set(document.weight_map.values).sorted()
        } catch {
            throw ModelError(
                .malformedFile, at: url.path,
                ModelFile.foreignContent(data) ?? "is not an index of weights: it has no 'weight_map' of names")
        }
        if let bad = files.first(where: { $0.contains("/") || $0.hasPrefix(".") }) {
            throw ModelError(.malformedFile, at: url.path, "names a file outside its folder: '\(bad)'")
        }
        if files.isEmpty { throw ModelError(.malformedFile, at: url.path, "names no files") }
    }
}
