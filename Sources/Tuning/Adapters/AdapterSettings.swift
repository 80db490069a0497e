import CorpusStore
import Diffusion
import Foundation

/// What PEFT calls an adapter's configuration: in diffusers' files as metadata under `unet.…`, in PEFT's folders as
/// `adapter_config.json`.
struct AdapterSettings {
    let rank: Int?
    let alpha: Double?
    let targetModules: [String]
    let useDora: Bool?
    /// Scaled by alpha / √rank.
    let isRankStabilized: Bool
    /// Alphas of layers that differ, by the end of their path or by a regular expression for it.
    private let alphaPattern: [String: Double]

    init(_ adapter: Adapter) {
        rank = adapter.rank
        alpha = Double(adapter.alpha)
        targetModules = adapter.targetModules
        useDora = adapter.kind == .dora
        (isRankStabilized, alphaPattern) = (false, [:])
    }

    /// The metadata that diffusers reads.
    func json(for file: String) throws(AdapterError) -> String {
        let settings = Written(
            r: rank, alpha: alpha, targetModules: targetModules, useDora: useDora)
        do {
            return String(decoding: try JSONEncoder.stable.encode(settings), as: UTF8.self)
        } catch {
            throw .notWritten(file: file, reason: "\(error)")
        }
    }

    private struct Written: Encodable {
        let r: Int?
        let alpha: Double?
        let targetModules: [String]
        let useDora: Bool?

        enum CodingKeys: String, CodingKey {
            case r = "unet.r"
            case alpha = "unet.lora_alpha"
            case targetModules = "unet.target_modules"
            case useDora = "unet.use_dora"
        }
    }

    /// Reads settings by network: with its name and a dot before theirs, or without, for all.
    ///
    /// - Parameter place: where they come from, for errors.
    static func read(_ data: Data, at place: String) throws(AdapterError) -> [ModelComponent: AdapterSettings] {
        do {
            return try JSONDecoder().decode(Read.self, from: data).settings
        } catch DecodingError.dataCorrupted(let context) where !context.debugDescription.isEmpty {
            throw .unreadable(file: place, reason: "it is not understood: \(context.debugDescription)")
        } catch {
            throw .unreadable(file: place, reason: "it is not understood")
        }
    }

    private init(_ container: KeyedDecodingContainer<Name>, prefix: String) throws {
        func value<T: Decodable>(_ type: T.Type, _ name: String) throws -> T? {
            try container.decodeIfPresent(type, forKey: Name(prefix + name))
        }
        rank = try value(Int.self, "r")
        alpha = try value(Double.self, "lora_alpha")
        useDora = try value(Bool.self, "use_dora")
        isRankStabilized = try value(Bool.self, "use_rslora") ?? false
        alphaPattern = try value([String: Double].self, "alpha_pattern") ?? [:]
        // A single pattern is written as a string.
        targetModules =
            (try? value([String].self, "target_modules")) ?? (try? value(String.self, "target_modules")).map { [$0] }
            ?? []
        // These ways to begin change the model's own weights, which the file does not hold.
        let start = (try? value(String.self, "init_lora_weights")) ?? ""
        if ["pissa", "olora", "corda", "loftq"].contains(where: start.lowercased().hasPrefix) {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: [],
                    debugDescription: "init_lora_weights '\(start)' changes the model too: convert it to plain LoRA"))
        }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    private struct Read: Decodable {
        let settings: [ModelComponent: AdapterSettings]

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Name.self)
            let prefixed = ModelComponent.allCases.filter { component in
                container.allKeys.contains { $0.stringValue.hasPrefix("\(component.rawValue).") }
            }
            var settings: [ModelComponent: AdapterSettings] = [:]
            for component in prefixed.isEmpty ? ModelComponent.allCases : prefixed {
                settings[component] = try AdapterSettings(
                    container, prefix: prefixed.isEmpty ? "" : "\(component.rawValue).")
            }
            self.settings = settings
        }
    }

    /// The alpha of a layer: PEFT's rule, the first pattern that matches the whole path or a whole end of it.
    func alpha(of path: String, file: String) throws(AdapterError) -> Double? {
        for (pattern, alpha) in alphaPattern.sorted(by: { $0.key < $1.key }) {
            do {
                if path == pattern || path.hasSuffix("." + pattern) { return alpha }
                if try Regex("(.*\\.)?(\(pattern))").wholeMatch(in: path) != nil { return alpha }
            } catch {
                throw .unreadable(file: file, reason: "its alpha_pattern has '\(pattern)', which is not an expression")
            }
        }
        return alpha
    }
}
