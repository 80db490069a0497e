/// How the samples of a selection were chosen.
package enum SelectionPolicy: Sendable, Equatable {
    /// A question to the catalogue, which can be asked again as the corpus grows.
    case query(CatalogueQuery)
    /// A list that was made elsewhere.
    case list
    /// What a set operation makes of other selections, named by their digests.
    case combination(SetOperation, of: [Digest])

    /// Set operations on selections. All keep the order of the first operand.
    package enum SetOperation: String, Sendable, Codable, CaseIterable {
        /// Every sample of any operand; those of later ones follow.
        case union
        /// The samples that all operands have.
        case intersection
        /// The samples of the first operand that no other has.
        case difference

        package func callAsFunction(_ operands: [[Digest]]) -> [Digest] {
            guard let first = operands.first else { return [] }
            let others = operands.dropFirst()
            switch self {
            case .union:
                var seen: Set<Digest> = []
                return operands.joined().filter { seen.insert($0).inserted }
            case .intersection:
                let sets = others.map(Set.init)
                return first.filter { id in sets.allSatisfy { $0.contains(id) } }
            case .difference:
                let removed = Set(others.joined())
                return first.filter { !removed.contains($0) }
            }
        }
    }
}

extension SelectionPolicy {
    var json: CanonicalJSON {
        switch self {
        case .query(let query):
            var rule: [String: CanonicalJSON] = ["per_prompt": .bool(query.perPrompt)]
            if let condition = query.condition { rule["where"] = .string(condition) }
            if let by = query.by { rule["by"] = .string(by) }
            if let top = query.top { rule["top"] = .integer(top) }
            return .object(rule)
        case .list:
            return .object(["from": .string("list")])
        case .combination(let operation, let operands):
            return .object(["from": .string(operation.rawValue), "of": .array(operands.map { .string($0.hex) })])
        }
    }
}

extension SelectionPolicy: Decodable {
    private enum CodingKeys: String, CodingKey {
        case `where`, by, top, from, of
        case perPrompt = "per_prompt"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard let from = try container.decodeIfPresent(String.self, forKey: .from) else {
            self = .query(
                CatalogueQuery(
                    condition: try container.decodeIfPresent(String.self, forKey: .where),
                    by: try container.decodeIfPresent(String.self, forKey: .by),
                    top: try container.decodeIfPresent(Int.self, forKey: .top),
                    perPrompt: try container.decode(Bool.self, forKey: .perPrompt)))
            return
        }
        if from == "list" {
            self = .list
        } else if let operation = SetOperation(rawValue: from) {
            self = .combination(operation, of: try container.decode([Digest].self, forKey: .of))
        } else {
            throw DecodingError.dataCorruptedError(
                forKey: .from, in: container, debugDescription: "no policy is called \(from)")
        }
    }
}
