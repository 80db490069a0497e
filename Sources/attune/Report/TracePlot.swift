import Foundation

/// Lines of MI over the timesteps of generation, as an SVG document.
package struct TracePlot {
    package struct Line {
        /// One value a timestep; what is not finite is left out of the line.
        package let values: [Double]
        package let isMarked: Bool

        package init(values: [Double], isMarked: Bool) {
            self.values = values
            self.isMarked = isMarked
        }
    }

    let title: String
    let timesteps: [Int]
    let lines: [Line]

    private let width = 840.0
    private let height = 420.0
    private let left = 70.0
    private let right = 20.0
    private let top = 44.0
    private let bottom = 54.0

    package init(title: String, timesteps: [Int], lines: [Line]) {
        self.title = title
        self.timesteps = timesteps
        self.lines = lines
    }

    package var svg: String {
        let highest = lines.flatMap(\.values).filter(\.isFinite).max() ?? 0
        let limit = niceLimit(highest)
        let (first, last) = (Double(timesteps.first ?? 1), Double(timesteps.last ?? 0))
        func x(_ t: Double) -> Double { left + (first - t) / max(first - last, 1) * (width - left - right) }
        func y(_ value: Double) -> Double { height - bottom - value / limit * (height - top - bottom) }
        func number(_ value: Double) -> String { formatted(value, digits: 1) }

        var body = ""
        for step in 0...4 {
            let value = limit * Double(step) / 4
            body += """
                <line x1="\(left)" x2="\(width - right)" y1="\(number(y(value)))" y2="\(number(y(value)))" stroke="#ddd"/>
                <text x="\(left - 8)" y="\(number(y(value) + 4))" text-anchor="end">\(formatted(value, digits: 0))</text>

                """
            let t = last + (first - last) * Double(step) / 4
            body += """
                <text x="\(number(x(t)))" y="\(height - bottom + 18)" text-anchor="middle">\(formatted(t, digits: 0))</text>

                """
        }
        // Marked lines come last, on top.
        for line in lines.filter({ !$0.isMarked }) + lines.filter(\.isMarked) {
            let points = zip(timesteps, line.values).filter { $0.1.isFinite }
                .map { "\(number(x(Double($0.0)))),\(number(y($0.1)))" }.joined(separator: " ")
            let style = line.isMarked ? "stroke=\"#d64020\" stroke-width=\"2.2\"" : "stroke=\"#9aa\" stroke-width=\"1\""
            body += "<polyline fill=\"none\" \(style) points=\"\(points)\"/>\n"
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(width))" height="\(Int(height))" \
            font-family="sans-serif" font-size="12" fill="#333">
            <rect width="100%" height="100%" fill="#fff"/>
            <text x="\(left)" y="26" font-size="15">\(escaped(title))</text>
            \(body)<text x="\(width / 2)" y="\(height - 14)" text-anchor="middle">timestep t (noise on the left)</text>
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
