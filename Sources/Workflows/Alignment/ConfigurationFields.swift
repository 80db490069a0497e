import Diffusion

/// The keys of an object of a configuration file, taken one by one. What is left at the end is unknown, and refused.
struct ConfigurationFields {
    private let file: String
    /// The object's own key and a dot; empty at the top.
    private let prefix: String
    private var values: [String: JSONValue]

    init(file: String, prefix: String = "", _ values: [String: JSONValue]) {
        (self.file, self.prefix, self.values) = (file, prefix, values)
    }

    func error(_ key: String, _ problem: String) -> UsageError { UsageError("\(file): \(prefix)\(key) \(problem)") }

    mutating func take(_ key: String) -> JSONValue? { values.removeValue(forKey: key) }

    mutating func object(_ key: String) throws(UsageError) -> ConfigurationFields {
        guard let value = take(key) else { return ConfigurationFields(file: file, prefix: "\(prefix)\(key).", [:]) }
        guard case .object(let values) = value else { throw error(key, "is not an object; write it in braces") }
        return ConfigurationFields(file: file, prefix: "\(prefix)\(key).", values)
    }

    mutating func text(_ key: String) throws(UsageError) -> String? {
        guard let value = take(key) else { return nil }
        guard case .text(let text) = value, !text.isEmpty else { throw error(key, "is not text; write it in quotes") }
        return text
    }

    mutating func required(_ key: String) throws(UsageError) -> String {
        guard let text = try text(key) else { throw error(key, "is missing; it must be given") }
        return text
    }

    mutating func number(
        _ key: String, _ bounds: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    ) throws(UsageError) -> Double? {
        guard let value = take(key) else { return nil }
        guard let number = value.double else { throw error(key, "is not a number") }
        guard bounds.contains(number) else {
            throw error(key, "is \(number); it must be from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }

    mutating func count(_ key: String, _ bounds: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let number = try number(key) else { return nil }
        guard let count = Int(exactly: number) else { throw error(key, "is \(number), no whole number") }
        guard bounds.contains(count) else {
            throw error(key, "is \(count); it must be from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return count
    }

    /// Up to 2⁵³, which every JSON reader keeps exactly.
    mutating func seed(_ key: String) throws(UsageError) -> UInt64? {
        try count(key, 0...(1 << 53)).map { UInt64($0) }
    }

    /// A number, or a list of numbers.
    mutating func numbers(_ key: String) throws(UsageError) -> [Double]? {
        guard let value = take(key) else { return nil }
        let list: [JSONValue] = if case .list(let items) = value { items } else { [value] }
        var numbers: [Double] = []
        for item in list {
            guard let number = item.double else { throw error(key, "has something other than numbers") }
            numbers.append(number)
        }
        guard !numbers.isEmpty else { throw error(key, "is an empty list") }
        return numbers
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _ type: Choice.Type = Choice.self
    ) throws(UsageError) -> Choice? {
        guard let text = try text(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw error(
                key, "is '\(text)'; it must be one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    func requireEmpty() throws(UsageError) {
        guard let key = values.keys.sorted().first else { return }
        throw error(key, "is not a key of an alignment; docs/alignment.md lists them")
    }
}
