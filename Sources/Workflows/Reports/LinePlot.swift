import Foundation

/// Lines over a common axis, as an SVG document.
package struct LinePlot {
    package struct Line {
        /// One value per position; what is not finite is left out of the line.
        package let values: [Double]
        package let isMarked: Bool

        package init(values: [Double], isMarked: Bool) {
            self.values = values
            self.isMarked = isMarked
        }
    }

    let title: String
    /// What the horizontal axis counts.
    let axis: String
    /// From left to right, rising or falling.
    let positions: [Int]
    let lines: [Line]

    private let width = 840.0
    private let height = 420.0
    private let left = 70.0
    private let right = 20.0
    private let top = 44.0
    private let bottom = 54.0

    package init(title: String, axis: String, positions: [Int], lines: [Line]) {
        self.title = title
        self.axis = axis
        self.positions = positions
        self.lines = lines
    }

    package var svg: String {
        let highest = lines.flatMap(\.values).filter(\.isFinite).max() ?? 0
        let limit = niceLimit(highest)
        let (first, last) = (Double(positions.first ?? 0), Double(positions.last ?? 1))
        let span = first == last ? 1 : last - first
        func x(_ position: Double) -> Double { left + (position - first) / span * (width - left - right) }
        func y(_ value: Double) -> Double { height - bottom - value / limit * (height - top - bottom) }
        func label(_ value: Double) -> String { formatted(value, digits: limit < 4 ? 2 - Int(floor(log10(limit))) : 0) }
        func number(_ value: Double) -> String { formatted(value, digits: 1) }

        var body = ""
        for step in 0...4 {
            let value = limit * Double(step) / 4
            body += """
                <line x1="\(left)" x2="\(width - right)" y1="\(number(y(value)))" y2="\(number(y(value)))" stroke="#ddd"/>
                <text x="\(left - 8)" y="\(number(y(value) + 4))" text-anchor="end">\(label(value))</text>

                """
            let position = first + span * Double(step) / 4
            body += """
                <text x="\(number(x(position)))" y="\(height - bottom + 18)" text-anchor="middle">\(formatted(position, digits: 0))</text>

                """
        }
        // Marked lines come last, on top.
        for line in lines.filter({ !$0.isMarked }) + lines.filter(\.isMarked) {
            let points = zip(positions, line.values).filter { $0.1.isFinite }
                .map { "\(number(x(Double($0.0)))),\(number(y($0.1)))" }.joined(separator: " ")
            let style = line.isMarked ? "stroke=\"#d64020\" stroke-width=\"2.2\"" : "stroke=\"#9aa\" stroke-width=\"1\""
            body += "<polyline fill=\"none\" \(style) points=\"\(points)\"/>\n"
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(width))" height="\(Int(height))" \
            font-family="sans-serif" font-size="12" fill="#333">
            <rect width="100%" height="100%" fill="#fff"/>
            <text x="\(left)" y="26" font-size="15">\(escaped(title))</text>
            \(body)<text x="\(width / 2)" y="\(height - 14)" text-anchor="middle">\(escaped(axis))</text>
            </svg>

            """
    }

    /// The next of 1, 2, 5 × 10ⁿ at or above `value`.
    private func niceLimit(_ value: Double) -> Double {
        guard value > 0 else { return 1 }
        let power = pow(10, floor(log10(value)))
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= value } ?? value
    }

    private func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;")
    }
}
