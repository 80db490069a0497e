package import Foundation

/// config.json of a vision transformer in a folder of transformers; fields left out take its defaults.
package struct VisionConfiguration: Sendable, Equatable {
    /// Which transformer.
    package enum Kind: String, Sendable {
        /// CLIPVisionModel (arXiv 2103.00020): a norm before the layers, features projected where the model can.
        case clip
        /// Dinov2Model (arXiv 2304.07193): scales after attention and MLP.
        case dinov2
    }

    package let kind: Kind
    package let hiddenSize, intermediateSize, layers, heads: Int
    /// Of the images that it was trained on, and of a patch, in pixels.
    package let imageSize, patchSize: Int
    package let normEpsilon: Float
    package let activation: String
    package let hasQueryKeyValueBias: Bool
    /// Of CLIP's projection.
    package let projectionSize: Int

    /// Positions that are stored along each side.
    package var gridSize: Int { imageSize / patchSize }

    /// - Parameters:
    ///   - folder: has a config.json of CLIPModel, CLIPVisionModel, CLIPVisionModelWithProjection or Dinov2Model.
    ///   - ignored: fields of it that are taken as if they were not there.
    package init(folder: URL, ignoring ignored: IgnoredFields = IgnoredFields()) throws(ModelError) {
        let url = folder.appendingPathComponent("config.json")
        let data = try EncoderFile.read(url)
        do {
            try self.init(JSONValue.members(of: data), ignored)
        } catch let error as ConfigurationProblem {
            throw ModelError(error.isUnsupported ? .unsupported : .malformedFile, at: url.path, error.message)
        } catch {
            throw ModelError(
                .malformedFile, at: url.path, ModelFile.foreignContent(data) ?? "is not a JSON object: \(error)")
        }
    }

    private init(_ members: [String: JSONValue], _ ignored: IgnoredFields) throws {
        switch members["model_type"] {
        case .text("clip"):
            let outer = try Self.judged(members, .clip, ignored)
            guard case .object(var vision) = outer["vision_config"] ?? .object([:]) else {
                throw ConfigurationProblem("has an unusable value for 'vision_config'")
            }
            // Files of early versions have both; transformers lets the second win.
            if case .object(let old) = outer["vision_config_dict"] { vision.merge(old) { $1 } }
            // The outer one counts: that of the vision part belongs to a model that stands alone.
            vision["projection_dim"] = outer["projection_dim"]
            try self.init(clip: Self.judged(vision, .clipVision, ignored))
        case .text("clip_vision_model"): try self.init(clip: Self.judged(members, .clipVision, ignored))
        case .text("dinov2"): try self.init(dinov2: Self.judged(members, .dinov2, ignored))
        case let other:
            throw ConfigurationProblem(
                "has the model_type \(other?.description ?? "null"), which is not run here: give a folder of CLIP "
                    + "(clip, clip_vision_model) or DINOv2 (dinov2) as transformers saves it", isUnsupported: true)
        }
    }

    private static func judged(
        _ fields: [String: JSONValue], _ rules: FieldRules, _ ignored: IgnoredFields
    ) throws -> [String: JSONValue] {
        let fields = ignored.strip(fields, part: "encoder", rules)
        if let problem = rules.problem(fields) { throw ConfigurationProblem(problem, isUnsupported: true) }
        return fields
    }

    private init(clip fields: [String: JSONValue]) throws {
        let reader = FieldReader(fields)
        kind = .clip
        hiddenSize = try reader.integer("hidden_size", 768)
        intermediateSize = try reader.integer("intermediate_size", 3072)
        layers = try reader.integer("num_hidden_layers", 12)
        heads = try reader.integer("num_attention_heads", 12)
        imageSize = try reader.integer("image_size", 224)
        patchSize = try reader.integer("patch_size", 32)
        normEpsilon = Float(try reader.number("layer_norm_eps", 1e-5))
        activation = try reader.text("hidden_act", "quick_gelu")
        projectionSize = try reader.integer("projection_dim", 512)
        hasQueryKeyValueBias = true
        try check()
    }

    private init(dinov2 fields: [String: JSONValue]) throws {
        let reader = FieldReader(fields)
        kind = .dinov2
        hiddenSize = try reader.integer("hidden_size", 768)
        intermediateSize = Int(Double(hiddenSize) * (try reader.number("mlp_ratio", 4)))
        layers = try reader.integer("num_hidden_layers", 12)
        heads = try reader.integer("num_attention_heads", 12)
        imageSize = try reader.integer("image_size", 224)
        patchSize = try reader.integer("patch_size", 14)
        normEpsilon = Float(try reader.number("layer_norm_eps", 1e-6))
        activation = try reader.text("hidden_act", "gelu")
        hasQueryKeyValueBias = try reader.flag("qkv_bias", true)
        projectionSize = 0
        try check()
    }

    private func check() throws {
        guard hiddenSize.isMultiple(of: heads) else {
            throw ConfigurationProblem(
                "has \(heads) num_attention_heads, which do not divide hidden_size \(hiddenSize)")
        }
        guard patchSize <= imageSize else {
            throw ConfigurationProblem("has a patch_size of \(patchSize) for images of \(imageSize) pixels")
        }
        guard ["gelu", "quick_gelu"].contains(activation) else {
            throw ConfigurationProblem(
                "has the hidden_act \"\(activation)\"; gelu and quick_gelu are known", isUnsupported: true)
        }
    }
}

/// Files of an encoder's folder.
enum EncoderFile {
    /// The whole file, which must be there.
    static func read(_ url: URL) throws(ModelError) -> Data {
        if let data = try ModelFile.readIfPresent(url) { return data }
        throw ModelError(
            .missingFile, at: url.path, "is missing: give a folder of CLIP or DINOv2 as transformers saves it")
    }
}

/// What is wrong with a configuration, without the file that it is in.
struct ConfigurationProblem: Error {
    let message: String
    let isUnsupported: Bool

    init(_ message: String, isUnsupported: Bool = false) {
        (self.message, self.isUnsupported) = (message, isUnsupported)
    }
}

/// Fields of a JSON object by name. One that is null counts as left out.
struct FieldReader {
    private let fields: [String: JSONValue]

    init(_ fields: [String: JSONValue]) { self.fields = fields }

    subscript(name: String) -> JSONValue? { fields[name] == .null ? nil : fields[name] }

    /// A positive integer that layers and images can have.
    func integer(_ name: String, _ fallback: Int) throws -> Int {
        guard let value = self[name] else { return fallback }
        guard let number = value.double, number == number.rounded(), (1...1_000_000).contains(number) else {
            throw unusable(name, value)
        }
        return Int(number)
    }

    func number(_ name: String, _ fallback: Double) throws -> Double {
        guard let value = self[name] else { return fallback }
        guard let number = value.double, number.isFinite, number > 0 else { throw unusable(name, value) }
        return number
    }

    func text(_ name: String, _ fallback: String) throws -> String {
        guard let value = self[name] else { return fallback }
        guard case .text(let text) = value else { throw unusable(name, value) }
        return text
    }

    func flag(_ name: String, _ fallback: Bool) throws -> Bool {
        guard let value = self[name] else { return fallback }
        guard case .bool(let flag) = value else { throw unusable(name, value) }
        return flag
    }

    func unusable(_ name: String, _ value: JSONValue) -> ConfigurationProblem {
        ConfigurationProblem("has an unusable value for '\(name)': \(value)")
    }
}
