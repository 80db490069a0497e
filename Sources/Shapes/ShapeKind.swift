import Foundation

/// The shapes that objects have, each around its center with radius 1; y points downwards.
package enum ShapeKind: String, CaseIterable, Codable, Sendable {
    case circle, square, diamond, triangle, star, cross

    package var plural: String { self == .cross ? "crosses" : rawValue + "s" }

    /// The corners, in order; nil for the shapes that are not polygons here.
    private var corners: [(Double, Double)]? {
        switch self {
        case .circle, .square, .cross: nil
        case .diamond: [(0, -1), (0.8, 0), (0, 1), (-0.8, 0)]
        case .triangle: [(0, -1), (0.95, 0.8), (-0.95, 0.8)]
        case .star:
            (0..<10).map { index in
                let angle = (-90 + 36 * Double(index)) * .pi / 180
                let radius = index % 2 == 0 ? 1 : 0.42
                return (radius * cos(angle), radius * sin(angle))
            }
        }
    }

    /// Which of the points on a square grid are inside.
    ///
    /// A drawing program fills every pixel that an edge touches, so a shape comes out larger than its outline by part of
    /// a pixel; `pixel` is that pixel's size. The two shares below reproduce what Pillow draws.
    ///
    /// - Parameters:
    ///   - columns: x of the points relative to the center, in units of the radius.
    ///   - rows: y of the points, likewise.
    ///   - pixel: the distance between points.
    /// - Returns: `rows.count` rows of `columns.count` values.
    package func mask(columns: [Double], rows: [Double], pixel: Double) -> [Bool] {
        let outset = (corners == nil ? 0.65 : 0.35) * pixel
        let corners = corners ?? []
        var mask = [Bool](repeating: false, count: columns.count * rows.count)
        for (i, y) in rows.enumerated() {
            for (j, x) in columns.enumerated() {
                mask[i * columns.count + j] = contains(x, y, corners, outset)
            }
        }
        return mask
    }

    private func contains(_ x: Double, _ y: Double, _ corners: [(Double, Double)], _ outset: Double) -> Bool {
        switch self {
        case .circle:
            (x * x + y * y).squareRoot() <= 0.95 + outset
        case .square:
            abs(x) <= 0.86 + outset && abs(y) <= 0.86 + outset
        case .cross:
            (abs(x) <= 0.34 + outset && abs(y) <= 1 + outset) || (abs(y) <= 0.34 + outset && abs(x) <= 1 + outset)
        case .diamond, .triangle, .star:
            isInside(x, y, corners) || distance(x, y, corners) <= outset
        }
    }
}

/// Whether a ray from the point crosses the polygon's outline an odd number of times.
private func isInside(_ x: Double, _ y: Double, _ corners: [(Double, Double)]) -> Bool {
    var inside = false
    var (x1, y1) = corners[corners.count - 1]
    for (x2, y2) in corners {
        if (y1 > y) != (y2 > y), x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 { inside.toggle() }
        (x1, y1) = (x2, y2)
    }
    return inside
}

/// The distance from a point to a polygon's outline.
private func distance(_ x: Double, _ y: Double, _ corners: [(Double, Double)]) -> Double {
    var least = Double.infinity
    var (x1, y1) = corners[corners.count - 1]
    for (x2, y2) in corners {
        let (dx, dy) = (x2 - x1, y2 - y1)
        let along = min(max(((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy), 0), 1)
        let (ex, ey) = (x - x1 - along * dx, y - y1 - along * dy)
        least = min(least, (ex * ex + ey * ey).squareRoot())
        (x1, y1) = (x2, y2)
    }
    return least
}
