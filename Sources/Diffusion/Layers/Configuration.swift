import Foundation

/// A configuration field that is one number for all levels or one for each.
package enum PerLevel: Decodable, Sendable, Equatable {
    case all(Int)
    case each([Int])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let one = try? container.decode(Int.self) {
            self = .all(one)
        } else {
            self = .each(try container.decode([Int].self))
        }
    }

    package subscript(level: Int) -> Int? {
        switch self {
        case .all(let value): value
        case .each(let values): values.indices.contains(level) ? values[level] : nil
        }
    }

    /// The number that holds for all levels; nil where they differ.
    var single: Int? {
        switch self {
        case .all(let value): value
        case .each(let values): Set(values).count == 1 ? values[0] : nil
        }
    }
}

/// How many transformer blocks each layer has: one number for all, one per level, or one per layer of some levels.
package enum LayerCounts: Decodable, Sendable, Equatable {
    case all(Int)
    case each([PerLevel])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let one = try? container.decode(Int.self) {
            self = .all(one)
        } else {
            self = .each(try container.decode([PerLevel].self))
        }
    }

    package subscript(level: Int, layer: Int) -> Int? {
        switch self {
        case .all(let value): value
        case .each(let levels): levels.indices.contains(level) ? levels[level][layer] : nil
        }
    }

    var isNested: Bool {
        guard case .each(let levels) = self else { return false }
        return levels.contains { if case .each = $0 { true } else { false } }
    }
}

/// Reads a configuration file, naming file and field where it does not fit.
///
/// - Parameters:
///   - snakeCase: whether keys are converted to Swift's camel case.
///   - part: the folder that it describes, such as `unet`.
///   - rules: what is followed of it; nil where any field may be there.
///   - ignored: fields that are taken out before anything is judged.
func readConfiguration<T: Decodable>(
    _ type: T.Type, _ url: URL, snakeCase: Bool = true, part: String = "", rules: FieldRules? = nil,
    ignoring ignored: IgnoredFields = IgnoredFields()
) throws(ModelError) -> T {
    let data = try ModelFile.read(url)
    do {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        if snakeCase { decoder.keyDecodingStrategy = .convertFromSnakeCase }
        guard let rules else { return try decoder.decode(type, from: data) }
        let fields = ignored.strip(try JSONValue.members(of: data), part: part, rules)
        if let problem = rules.problem(fields) { throw ModelError(.unsupported, at: url.path, problem) }
        return try decoder.decode(type, from: JSONEncoder().encode(fields))
    } catch let error as ModelError {
        throw error
    } catch let error as DecodingError {
        throw ModelError(.malformedFile, at: url.path, ModelFile.foreignContent(data) ?? describe(error))
    } catch {
        throw ModelError(.malformedFile, at: url.path, "\(error)")
    }
}

/// The bytes of a file that a model folder must have.
func configurationData(_ url: URL) throws(ModelError) -> Data {
    do { return try Data(contentsOf: url) } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
        throw ModelError(.missingFile, at: url.path, "is missing: is this a complete diffusers model folder?")
    } catch {
        throw ModelError(
            .malformedFile, at: url.path,
            "cannot be read (\(error.localizedDescription)); check the file and its folder")
    }
}

extension KeyedDecodingContainer {
    /// Refuses a configuration for the value of one field.
    func require(_ holds: Bool, _ key: Key, _ otherwise: @autoclosure () -> String) throws {
        if !holds {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: otherwise())
        }
    }
}

func describe(_ error: DecodingError) -> String {
    func field(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
        (context.codingPath + (last.map { [$0] } ?? [])).map { fileSpelling($0.stringValue) }.joined(separator: ".")
    }
    return switch error {
    case .keyNotFound(let key, let context): "lacks the field '\(field(context, key))'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): "has an unusable value for '\(field(context))'"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
        "has an unusable value for '\(field(context))': \(context.debugDescription)"
    case .dataCorrupted(let context): "is not valid JSON: \(context.debugDescription)"
    @unknown default: "\(error)"
    }
}

/// `normNumGroups` as the file has it: `norm_num_groups`.
private func fileSpelling(_ key: String) -> String {
    key.reduce(into: "") { out, letter in out += letter.isUppercase ? "_\(letter.lowercased())" : "\(letter)" }
}
