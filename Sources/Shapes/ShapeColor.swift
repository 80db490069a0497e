/// The colors that objects have.
package enum ShapeColor: String, CaseIterable, Codable, Sendable {
    case red, green, blue, yellow, purple, orange, pink, cyan

    /// Red, green and blue, 0…255.
    package var rgb: (Int, Int, Int) {
        switch self {
        case .red: (220, 40, 40)
        case .green: (40, 160, 60)
        case .blue: (40, 80, 220)
        case .yellow: (235, 205, 40)
        case .purple: (140, 50, 170)
        case .orange: (240, 130, 30)
        case .pink: (245, 130, 185)
        case .cyan: (40, 195, 205)
        }
    }

    /// The color with the least Euclidean distance to an RGB value; the first of equals.
    package static func nearest(to value: (Double, Double, Double)) -> ShapeColor {
        func distance(_ color: ShapeColor) -> Double {
            let (r, g, b) = color.rgb
            let (x, y, z) = (value.0 - Double(r), value.1 - Double(g), value.2 - Double(b))
            return x * x + y * y + z * z
        }
        return allCases.min { distance($0) < distance($1) } ?? .red
    }
}
