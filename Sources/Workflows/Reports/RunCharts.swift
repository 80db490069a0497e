package import Plots

/// The plots of a run: what it learned from, and how steadily.
package enum RunCharts {
    /// - Returns: those that have something to show, in order.
    package static func charts(_ history: RunHistory) -> [(title: String, chart: LineChart)] {
        func points(_ value: (RunHistory.Step) -> Double) -> [(x: Double, y: Double)] {
            history.steps.map { (Double($0.step), value($0)) }
        }
        var losses = [LineChart.Line(name: "loss", points(\.loss), style: .faint)]
        if history.steps.count > smoothing {
            losses.append(
                LineChart.Line(name: "mean of ten steps", history.smoothedLosses(over: smoothing), style: .first))
        }
        let fixed = history.evaluations.map { (x: Double($0.step), y: $0.loss) }
        return [
            ("Loss", LineChart(title: "Loss over steps", x: "step", y: "loss", lines: losses)),
            (
                "Evaluation loss",
                LineChart(
                    title: "Loss on fixed samples and noise over steps", x: "step", y: "loss",
                    lines: [LineChart.Line(fixed, style: .second)])
            ),
            (
                "Learning rate",
                LineChart(
                    title: "Learning rate over steps", x: "step", y: "learning rate",
                    lines: [LineChart.Line(points(\.learningRate))], height: 220)
            ),
            (
                "Gradient norm",
                LineChart(
                    title: "Global gradient norm before clipping over steps", x: "step", y: "gradient norm",
                    lines: [LineChart.Line(points(\.gradientNorm), style: .third)], startsAtZero: true, height: 220)
            ),
        ].filter { $0.chart.markup != nil }
    }

    private static let smoothing = 10
}
