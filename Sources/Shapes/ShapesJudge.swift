/// Says whether an image shows exactly what its prompt asks for.
///
/// A pixel is foreground where its channels differ by more than 60. Connected foreground of at least 40 pixels is an
/// object; its color is the palette's nearest to the median of its core, its shape the template with the best
/// intersection over union.
///
/// ```swift
/// if let prompt = ShapesPrompt("a red circle") {
///     var generator = SplitMix64(seed: 7)
///     let pixels = ShapesRenderer.draw(ShapesLayout(prompt, using: &generator))
///     print(ShapesJudge.verdict(on: pixels, prompt).aligned)  // true
/// }
/// ```
package enum ShapesJudge {
    private static let saturation = 60
    private static let leastPixels = 40
    /// What the match with a template must exceed.
    private static let leastMatch = 0.7

    /// An object that was found.
    package struct Found: Codable, Sendable, Equatable {
        package let color: ShapeColor
        package let shape: ShapeKind
        /// Its centroid in pixels.
        package let x: Double
        package let y: Double
        /// How well it matches its shape: intersection over union, 0…1.
        package let iou: Double
    }

    package struct Verdict: Codable, Sendable, Equatable {
        package let aligned: Bool
        /// Why not; nil when aligned.
        package let reason: String?
        package let objects: [Found]
    }

    /// The objects of an image.
    ///
    /// - Parameter pixels: 64×64 RGB bytes in rows.
    package static func objects(in pixels: [UInt8]) -> [Found] {
        let side = ShapesLayout.side
        precondition(pixels.count == side * side * 3, "the judge takes 64×64 RGB images")
        func channel(_ pixel: Int, _ index: Int) -> Int { Int(pixels[pixel * 3 + index]) }
        let mask = (0..<side * side).map { pixel in
            let (r, g, b) = (channel(pixel, 0), channel(pixel, 1), channel(pixel, 2))
            return max(r, g, b) - min(r, g, b) > saturation
        }
        return PixelObject.all(in: mask, side: side, least: leastPixels).map { object in
            let core = object.core
            func median(_ index: Int) -> Double {
                let values = core.map { channel($0, index) }.sorted()
                return Double(values[(values.count - 1) / 2] + values[values.count / 2]) / 2
            }
            let (shape, iou) = ShapeTemplates.best(object.cropped, width: object.width)
            let (x, y) = object.centroid
            return Found(
                color: ShapeColor.nearest(to: (median(0), median(1), median(2))), shape: shape, x: x, y: y, iou: iou)
        }
    }

    package static func verdict(on pixels: [UInt8], _ prompt: ShapesPrompt) -> Verdict {
        let found = objects(in: pixels)
        let reason = problem(found, prompt)
        return Verdict(aligned: reason == nil, reason: reason, objects: found)
    }

    /// What keeps the objects from being exactly what is asked for: nil, or the first of number, shape, color, place.
    private static func problem(_ found: [Found], _ prompt: ShapesPrompt) -> String? {
        let asked = prompt.objects
        guard found.count == asked.count else {
            return "shows \(found.count) object\(found.count == 1 ? "" : "s") instead of \(asked.count)"
        }
        let orders = permutations(found).filter { order in
            zip(order, asked).allSatisfy { $0.shape == $1.shape && $0.iou > leastMatch }
        }
        if orders.isEmpty {
            return "shows " + list(found.map { $0.iou > leastMatch ? $0.shape.rawValue : "something" })
        }
        let colored = orders.filter { order in zip(order, asked).allSatisfy { $1.color == nil || $0.color == $1.color }
        }
        if colored.isEmpty { return "shows " + list(found.map { "\($0.color.rawValue) \($0.shape.rawValue)" }) }
        guard let relation = prompt.relation, !colored.contains(where: { holds(relation, $0[0], $0[1]) }) else {
            return nil
        }
        return "the \(asked[0].shape.rawValue) is not \(relation.rawValue) the \(asked[1].shape.rawValue)"
    }

    /// Whether the larger of the two offsets is along the relation's axis and has its sign.
    private static func holds(_ relation: ShapesPrompt.Relation, _ first: Found, _ second: Found) -> Bool {
        let (dx, dy) = (second.x - first.x, second.y - first.y)
        return switch relation {
        case .left: dx > 0 && abs(dx) >= abs(dy)
        case .right: dx < 0 && abs(dx) >= abs(dy)
        case .above: dy > 0 && abs(dy) >= abs(dx)
        case .below: dy < 0 && abs(dy) >= abs(dx)
        }
    }

    private static func list(_ words: [String]) -> String { words.joined(separator: ", ") }

    private static func permutations(_ items: [Found]) -> [[Found]] {
        guard items.count > 1 else { return [items] }
        return items.indices.flatMap { index in
            var rest = items
            let first = rest.remove(at: index)
            return permutations(rest).map { [first] + $0 }
        }
    }
}
