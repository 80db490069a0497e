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
}

/// Reads a config.json, naming file and field where it does not fit.
///
/// - Parameter snakeCase: whether keys are converted to Swift's camel case.
func readConfiguration<T: Decodable>(
    _ type: T.Type, _ url: URL, snakeCase: Bool = true
) throws(ModelError) -> T {
    let data = try ModelFile.read(url)
    do {
        let decoder = JSONDecoder()
        if snakeCase { decoder.keyDecodingStrategy = .convertFromSnakeCase }
        return try decoder.decode(type, from: data)
    } catch let error as DecodingError {
        throw ModelError(.malformedFile, at: url.path, ModelFile.foreignContent(data) ?? describe(error))
    } catch {
        throw ModelError(.malformedFile, at: url.path, "\(error)")
    }
}

extension KeyedDecodingContainer {
    /// Refuses a configuration for the value of one field.
    func require(_ holds: Bool, _ key: Key, _ otherwise: @autoclosure () -> String) throws {
        if !holds {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: otherwise())
        }
    }

    /// Refuses settings that change what a network or sampler computes in a way that is not built here.
    func refuse(_ keys: [Key]) throws {
        for key in keys where try decodeIfPresent(Bool.self, forKey: key) == true {
            try require(false, key, "is not supported")
        }
    }
}

private func describe(_ error: DecodingError) -> String {
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
