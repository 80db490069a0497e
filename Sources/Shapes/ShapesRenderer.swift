/// Draws layouts: 64×64 RGB, each pixel the mean of 4×4 points.
package enum ShapesRenderer {
    static let scale = 4

    /// - Returns: rows of red, green and blue bytes, 64×64×3 in all.
    package static func draw(_ layout: ShapesLayout) -> [UInt8] {
        let side = ShapesLayout.side
        let points = side * scale
        let gray = layout.background
        var canvas = [(Int, Int, Int)](repeating: (gray, gray, gray), count: points * points)
        for object in layout.objects {
            let (columns, rows) = (reach(points, object.x, object.radius), reach(points, object.y, object.radius))
            let mask = object.shape.mask(
                columns: columns.map { coordinate($0, object.x, object.radius) },
                rows: rows.map { coordinate($0, object.y, object.radius) },
                pixel: 1 / (Double(scale) * object.radius))
            for (i, y) in rows.enumerated() {
                for (j, x) in columns.enumerated() where mask[i * columns.count + j] {
                    canvas[y * points + x] = object.color.rgb
                }
            }
        }
        return reduce(canvas, side)
    }

    /// The center of a point, relative to an object, in units of its radius.
    static func coordinate(_ point: Int, _ center: Double, _ radius: Double) -> Double {
        ((Double(point) + 0.5) / Double(scale) - center) / radius
    }

    /// The points along one axis that an object can cover.
    private static func reach(_ points: Int, _ center: Double, _ radius: Double) -> Range<Int> {
        let low = Int((center - radius - 1) * Double(scale))
        let high = Int((center + radius + 1) * Double(scale))
        return max(low, 0)..<min(high, points)
    }

    private static func reduce(_ canvas: [(Int, Int, Int)], _ side: Int) -> [UInt8] {
        let points = side * scale
        let count = scale * scale
        var pixels: [UInt8] = []
        pixels.reserveCapacity(side * side * 3)
        for y in 0..<side {
            for x in 0..<side {
                var sum = (0, 0, 0)
                for dy in 0..<scale {
                    for dx in 0..<scale {
                        let value = canvas[(y * scale + dy) * points + x * scale + dx]
                        sum = (sum.0 + value.0, sum.1 + value.1, sum.2 + value.2)
                    }
                }
                for value in [sum.0, sum.1, sum.2] { pixels.append(UInt8((value + count / 2) / count)) }
            }
        }
        return pixels
    }
}
