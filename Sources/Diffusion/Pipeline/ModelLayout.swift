import Foundation

/// Looks at a place that should be a model folder before anything of it is read, and says what it is where it is not
/// one.
enum ModelLayout {
    /// - Throws: ``ModelError`` that names what is there and says what to do.
    static func check(_ folder: URL, variant: String?) throws(ModelError) {
        guard let names = try ModelFile.list(folder) else { throw notAFolder(folder) }
        guard names.contains("model_index.json") else { throw noModel(folder, names) }
        try checkIndex(folder, names)
        try WeightFiles.checkVariant(variant, of: folder)
    }

    /// Whether a component's folder is there.
    static func has(_ component: ModelComponent, _ folder: URL) throws(ModelError) -> Bool {
        try ModelFile.list(folder.appendingPathComponent(component.rawValue)) != nil
    }

    // MARK: What model_index.json says

    /// The classes that Attune runs, by component.
    private static let known: [(component: String, classes: [String])] = [
        ("unet", ["UNet2DConditionModel"]), ("vae", ["AutoencoderKL"]),
        ("text_encoder", ["CLIPTextModel", "CLIPTextModelWithProjection"]),
        ("text_encoder_2", ["CLIPTextModelWithProjection", "CLIPTextModel"]),
        ("tokenizer", ["CLIPTokenizer", "CLIPTokenizerFast"]), ("tokenizer_2", ["CLIPTokenizer", "CLIPTokenizerFast"]),
    ]
    /// Networks that other pipelines have in place of a UNet or beside it.
    private static let foreign = [
        "transformer", "transformer_2", "text_encoder_3", "prior", "decoder", "motion_adapter",
    ]

    private static func checkIndex(_ folder: URL, _ names: [String]) throws(ModelError) {
        let url = folder.appendingPathComponent("model_index.json")
        let index = try ModelFile.readObject(url)
        let pipeline = index["_class_name"] as? String ?? "a pipeline of an unnamed class"
        func refuse(_ reason: String) -> ModelError {
            ModelError(
                .unsupported, at: url.path,
                "names \(pipeline), \(reason): Attune runs StableDiffusionPipeline and StableDiffusionXLPipeline")
        }
        /// The class of a component, nil where it has none, or null in its place.
        func kind(_ component: String) -> String? { (index[component] as? [Any])?.last as? String }
        for component in foreign {
            if let name = kind(component) { throw refuse("which has the component \(component) (\(name))") }
        }
        let isKnown = ["StableDiffusionP", "StableDiffusionX", "LatentConsistency"].contains { pipeline.hasPrefix($0) }
        if index["_class_name"] != nil, !isKnown, kind("unet") == nil { throw refuse("which names no unet") }
        for (component, classes) in known {
            guard let stated = index[component] as? [Any] else { continue }
            guard let name = stated.last as? String else {
                if component.hasSuffix("_2") { continue }
                throw refuse("which has no \(component)")
            }
            guard classes.contains(name) else { throw refuse("whose \(component) is a \(name)") }
            guard names.contains(component) else {
                throw ModelError(
                    .missingFile, at: folder.appendingPathComponent(component).path,
                    "this folder is missing, and model_index.json names it: download or copy the model again")
            }
        }
    }

    // MARK: Other places

    private static func notAFolder(_ place: URL) -> ModelError {
        guard (try? MemoryMap(place)) != nil else {
            let isName = place.relativePath.firstMatch(of: /^[\w.-]+\/[\w.-]+$/) != nil
            return ModelError(
                .missingFile, at: place.path,
                isName
                    ? "there is no such folder; a model of the Hugging Face Hub is downloaded by 'hf download "
                        + "\(place.relativePath) --local-dir \(place.lastPathComponent)'"
                    : "there is no such folder; give a model's folder in the diffusers layout")
        }
        return ModelError(.unsupported, at: place.path, "is a file: " + singleFile(place))
    }

    private static func noModel(_ folder: URL, _ names: [String]) -> ModelError {
        func error(_ message: String) -> ModelError { ModelError(.missingFile, at: folder.path, message) }
        if names.contains("snapshots") {
            let snapshots = (try? ModelFile.list(folder.appendingPathComponent("snapshots"))) ?? []
            guard let last = snapshots.last else { return error("is a Hub cache folder without snapshots") }
            return error("is a folder of the Hub's cache: give \(folder.path)/snapshots/\(last)")
        }
        if let adapter = ["pytorch_lora_weights.safetensors", "adapter_model.safetensors"].first(where: names.contains)
        {
            return error("is an adapter (\(adapter)): give the model with --model and this with --adapter")
        }
        if names.contains("config.json"), names.contains(where: { $0.hasSuffix(".safetensors") }) {
            return error("is one component of a model: give the folder above it, which has model_index.json")
        }
        let checkpoints = names.filter { name in [".safetensors", ".ckpt"].contains { name.hasSuffix($0) } }
        if let file = checkpoints.first, checkpoints.count == 1 || !names.contains("unet") {
            return error("has no model_index.json; " + singleFile(folder.appendingPathComponent(file)))
        }
        if let inner = names.first(where: { hasIndex(folder.appendingPathComponent($0)) }) {
            return error("has no model_index.json: is \(folder.path)/\(inner) meant?")
        }
        return error("has no model_index.json: give a diffusers model folder")
    }

    private static func hasIndex(_ folder: URL) -> Bool {
        (try? ModelFile.list(folder))??.contains("model_index.json") ?? false
    }

    /// What a file of weights is, and how it becomes a folder.
    private static func singleFile(_ file: URL) -> String {
        let name = file.lastPathComponent
        guard name.hasSuffix(".safetensors") else {
            guard [".ckpt", ".pt", ".pth", ".bin"].contains(where: name.hasSuffix) else {
                return "\(name) is not a model; give a model's folder in the diffusers layout"
            }
            return conversion("StableDiffusionPipeline", "a single-file checkpoint", file)
        }
        guard let keys = try? SafetensorsFile(file).entries.keys else {
            return conversion("StableDiffusionPipeline", "a single-file checkpoint", file)
        }
        func has(_ part: String) -> Bool { keys.contains { $0.contains(part) } }
        if has("lora_") || has(".lora.") {
            return "\(name) is an adapter: give it with --adapter, and a model with --model"
        }
        if has("double_blocks.") || has("joint_blocks.") || has("transformer_blocks.0.norm1.linear") {
            return
                "\(name) is a checkpoint of a transformer such as Flux or Stable Diffusion 3, which Attune does not run"
        }
        let isXL = has("conditioner.embedders.1.")
        return conversion(
            isXL ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline", "a single-file checkpoint", file)
    }

    private static func conversion(_ pipeline: String, _ kind: String, _ file: URL) -> String {
        "\(file.lastPathComponent) is \(kind); convert it in Python: "
            + "diffusers.\(pipeline).from_single_file('\(file.path)').save_pretrained('NEW_FOLDER'), and give that folder"
    }
}
