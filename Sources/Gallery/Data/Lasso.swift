import Foundation

/// An area of a map: a polygon, as addresses have it.
package struct Lasso: Sendable, Hashable {
    /// x and y of each corner.
    package let corners: [SIMD2<Double>]

    /// Corners that one may have.
    package static let most = 400

    /// - Parameter text: `x,y~x,y~x,y`: three corners or more.
    package init(_ text: String) throws {
        let parts = text.split(separator: "~", omittingEmptySubsequences: false)
        guard (3...Self.most).contains(parts.count) else {
            throw Refusal.unusable(
                "lasso has \(parts.count) corners; it must have from 3 to \(Self.most), as in 0,0~1,0~1,1")
        }
        corners = try parts.map { part in
            let numbers = part.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
            guard numbers.count == 2, let x = numbers[0], let y = numbers[1], x.isFinite, y.isFinite else {
                throw Refusal.unusable("lasso: '\(part.prefix(40))' is not a corner; it must be x,y as in 0.5,-1")
            }
            return SIMD2(x, y)
        }
    }

    /// A rectangle.
    ///
    /// - Parameters:
    ///   - x: from left to right.
    ///   - y: from bottom to top.
    package init(_ x: ClosedRange<Double>, _ y: ClosedRange<Double>) {
        corners = [
            SIMD2(x.lowerBound, y.lowerBound), SIMD2(x.upperBound, y.lowerBound), SIMD2(x.upperBound, y.upperBound),
            SIMD2(x.lowerBound, y.upperBound),
        ]
    }

    package var text: String { corners.map { "\(Self.short($0.x)),\(Self.short($0.y))" }.joined(separator: "~") }

    private static func short(_ value: Double) -> String { String(format: "%.6g", value) }

    /// Whether a point is inside, by the even-odd rule.
    package func contains(_ x: Float, _ y: Float) -> Bool {
        let point = SIMD2(Double(x), Double(y))
        var isInside = false
        var before = corners[corners.count - 1]
        for corner in corners {
            if (corner.y > point.y) != (before.y > point.y) {
                let across = (before.x - corner.x) * (point.y - corner.y) / (before.y - corner.y) + corner.x
                if point.x < across { isInside.toggle() }
            }
            before = corner
        }
        return isInside
    }
}
