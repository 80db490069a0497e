package import Randomness

/// Where the objects of an image lie, and what they are.
package struct ShapesLayout: Sendable {
    package struct Object: Sendable {
        package let color: ShapeColor
        package let shape: ShapeKind
        package let x: Double
        package let y: Double
        package let radius: Double
    }

    package let objects: [Object]
    /// The gray of the background.
    package let background: Int

    /// The side of an image in pixels.
    package static let side = 64
    private static let margin = 1.0
    private static let gap = 3.0

    /// A random layout that shows a prompt.
    package init(_ prompt: ShapesPrompt, using generator: inout SplitMix64) {
        background = 225 + generator.integer(below: 21)
        var colors: [ShapeColor] = []
        for object in prompt.objects {
            // Where the prompt leaves colors open, they differ.
            let free = ShapeColor.allCases.filter { !colors.contains($0) }
            colors.append(object.color ?? free[generator.integer(below: free.count)])
        }
        let radii = prompt.objects.count > 2 ? 7.0...9.0 : 8.0...11.5
        while true {
            var placed: [Object] = []
            for (object, color) in zip(prompt.objects, colors) {
                let radius = generator.number(in: radii)
                let range = (radius + Self.margin)...(Double(Self.side) - radius - Self.margin)
                let (x, y) = (generator.number(in: range), generator.number(in: range))
                placed.append(Object(color: color, shape: object.shape, x: x, y: y, radius: radius))
            }
            guard Self.areApart(placed), Self.hold(prompt.relation, placed) else { continue }
            objects = placed
            return
        }
    }

    private static func areApart(_ objects: [Object]) -> Bool {
        for (index, one) in objects.enumerated() {
            for other in objects[(index + 1)...] {
                let (dx, dy) = (one.x - other.x, one.y - other.y)
                if (dx * dx + dy * dy).squareRoot() <= one.radius + other.radius + gap { return false }
            }
        }
        return true
    }

    /// Clearly so: more than 14 pixels along the axis, and the other offset below 0.8 of that.
    private static func hold(_ relation: ShapesPrompt.Relation?, _ objects: [Object]) -> Bool {
        guard let relation else { return true }
        let (dx, dy) = (objects[1].x - objects[0].x, objects[1].y - objects[0].y)
        let (along, across) =
            switch relation {
            case .left: (dx, dy)
            case .right: (-dx, dy)
            case .above: (dy, dx)
            case .below: (-dy, dx)
            }
        return along > 14 && abs(across) < 0.8 * along
    }
}
