package import CorpusStore

/// What a map shows: the state of its page, all of which is in the address.
package struct MapQuery: Sendable, Hashable {
    /// The vectors; nil for those that are shown first.
    package var map: String?
    /// What colors the points: a column, or an annotation; nil for nothing.
    package var color: String?
    /// As in the grid.
    package var condition, search, prompt, within: String?
    package var lasso: Lasso?

    package init(_ query: Query) throws {
        (map, color) = (query["map"], query["color"])
        (condition, search, prompt, within) = (query["where"], query["search"], query["prompt"], query["in"])
        // An area belongs to the vectors that it was drawn on: a form that changes them sends it along.
        if query["of"] == nil || query["of"] == map {
            lasso = try query["lasso"].map { try Lasso($0) } ?? Self.rectangle(query)
        }
        for (name, text) in [("where", condition), ("color", color), ("search", search), ("prompt", prompt)] {
            if let text, text.utf8.count > 20_000 {
                throw Refusal.unusable("\(name) has \(text.utf8.count) bytes; at most 20000 are read")
            }
        }
    }

    /// The area of the form that needs no mouse: `x0`, `x1`, `y0`, `y1`.
    private static func rectangle(_ query: Query) throws -> Lasso? {
        let names = ["x0", "x1", "y0", "y1"]
        guard names.contains(where: { query[$0] != nil }) else { return nil }
        let numbers = try names.map { name in
            guard let number = query[name].flatMap({ Double($0) }), number.isFinite else {
                throw Refusal.unusable("\(name) must be a number: give both ends of both axes")
            }
            return number
        }
        return Lasso(
            min(numbers[0], numbers[1])...max(numbers[0], numbers[1]),
            min(numbers[2], numbers[3])...max(numbers[2], numbers[3]))
    }

    /// What the points are, whatever area of them is chosen.
    var points: MapQuery {
        var all = self
        all.lasso = nil
        return all
    }
}

/// The points of a map with their colors.
package struct MapListing: Sendable {
    package enum Coloring: Sendable {
        case none
        /// NaN where a sample has none.
        case numbers([Float], range: ClosedRange<Double>)
        /// The place of each point's text among the names; that after the last is "others", then "none".
        case texts([Int], names: [(name: String, count: Int)], others: Int, missing: Int)
    }

    let version: Int64
    /// Of the map.
    let source: Digest
    package let samples: [Digest]
    package let keys: [Int64]
    /// x and y of each.
    package let points: [Float]
    package let coloring: Coloring
    /// Samples that fit and have no point.
    package let unplaced: Int
    package let isCut: Bool

    /// Texts that have a color of their own.
    package static let colors = 8

    init(_ query: MapQuery, _ map: EmbeddingMap, in data: GalleryData, version: Int64) throws {
        (self.version, source) = (version, map.source)
        var condition = query.condition
        if let prompt = query.prompt {
            let same = "prompt = \(GridListing.quoted(prompt))"
            condition = condition.map { "(\($0)\n) AND \(same)" } ?? same
        }
        let confined = try query.search.map { try GridListing.search($0, data).keys }
        let found = try data.browser.column(query.color, where: condition, prompts: confined)
        let members = try query.within.map { name throws(CorpusError) in try data.members(of: name).set }
        var kept: [Int] = []
        var points: [Float] = []
        var unplaced = 0
        for (place, sample) in found.samples.enumerated() {
            if let members, !members.contains(sample) { continue }
            guard let point = map.point(sample) else {
                unplaced += 1
                continue
            }
            kept.append(place)
            points += [point.x, point.y]
        }
        samples = kept.map { found.samples[$0] }
        keys = kept.map { found.keys[$0] }
        (self.points, self.unplaced, isCut) = (points, unplaced, found.isCut)
        guard query.color != nil else {
            coloring = .none
            return
        }
        switch found.values {
        case .numbers(let values): coloring = Self.numbers(kept.map { values[$0] })
        case .texts(let values): coloring = Self.texts(kept.map { values[$0] })
        }
    }

    private static func numbers(_ values: [Double?]) -> Coloring {
        let known = values.compactMap(\.self)
        guard let low = known.min(), let high = known.max() else {
            return .numbers(values.map { _ in .nan }, range: 0...1)
        }
        return .numbers(values.map { $0.map { Float($0) } ?? .nan }, range: low...high)
    }

    private static func texts(_ values: [String?]) -> Coloring {
        var counts: [String: Int] = [:]
        for value in values { if let value { counts[value, default: 0] += 1 } }
        let names = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(colors)
        let places = Dictionary(names.enumerated().map { ($0.element.key, $0.offset) }) { first, _ in first }
        let indices = values.map { value in value.map { places[$0] ?? colors } ?? colors + 1 }
        return .texts(
            indices, names: names.map { (name: $0.key, count: $0.value) },
            others: indices.count { $0 == colors }, missing: indices.count { $0 == colors + 1 })
    }

    /// The range of the points along both axes.
    package var bounds: (x: ClosedRange<Double>, y: ClosedRange<Double>)? {
        guard let first = points.first else { return nil }
        var (x, y) = ((first, first), (points[1], points[1]))
        for place in stride(from: 0, to: points.count, by: 2) {
            x = (min(x.0, points[place]), max(x.1, points[place]))
            y = (min(y.0, points[place + 1]), max(y.1, points[place + 1]))
        }
        return (Double(x.0)...Double(x.1), Double(y.0)...Double(y.1))
    }

    /// Places of the points inside of an area.
    package func inside(_ lasso: Lasso) -> [Int] {
        samples.indices.filter { lasso.contains(points[2 * $0], points[2 * $0 + 1]) }
    }

    /// What the page's script draws: how many points, then x and y of each, then a number for the color of each, all of 32
    /// bits, little-endian; then their ids, of 32 bytes.
    var bytes: [UInt8] {
        let count = withUnsafeBytes(of: UInt32(samples.count).littleEndian) { Array($0) }
        let colors: [Float] =
            switch coloring {
            case .none: [Float](repeating: 0, count: samples.count)
            case .numbers(let values, _): values
            case .texts(let places, _, _, _): places.map { Float($0) }
            }
        return count + EmbeddingMap.bytes(points) + EmbeddingMap.bytes(colors) + samples.flatMap(\.raw)
    }
}
