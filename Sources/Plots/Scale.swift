import Foundation

/// Maps values to a length, with round ticks.
struct Scale: Sendable {
    let domain: ClosedRange<Double>
    /// Where the ends of the domain lie, in the drawing's units; the second may be smaller.
    let range: (from: Double, to: Double)
    let ticks: [Double]

    /// - Parameters:
    ///   - values: what must fit.
    ///   - isPadded: whether the domain grows to the ticks that enclose the values.
    init(_ values: ClosedRange<Double>, from: Double, to: Double, ticks count: Int, isPadded: Bool = true) {
        var (low, high) = (values.lowerBound, values.upperBound)
        if !(high > low) {
            // One value only: something around it.
            let margin = low == 0 ? 1 : abs(low) * 0.5
            (low, high) = (low - margin, high + margin)
        }
        let step = Self.step((high - low) / Double(max(count, 1)))
        if isPadded { (low, high) = ((low / step).rounded(.down) * step, (high / step).rounded(.up) * step) }
        let first = (low / step - 1e-9).rounded(.up)
        let last = (high / step + 1e-9).rounded(.down)
        ticks = first <= last ? (Int(first)...Int(last)).map { Double($0) * step } : []
        domain = low...high
        range = (from, to)
    }

    func callAsFunction(_ value: Double) -> Double {
        let span = domain.upperBound - domain.lowerBound
        return range.from + (value - domain.lowerBound) / span * (range.to - range.from)
    }

    /// 1, 2 or 5 × 10ⁿ at or above a value.
    private static func step(_ least: Double) -> Double {
        guard least > 0, least.isFinite else { return 1 }
        let power = pow(10, floor(log10(least)))
        return ([1, 2, 5, 10].first { $0 * power >= least * (1 - 1e-9) } ?? 10) * power
    }

    /// A tick's label: as many decimals as the distance of the ticks needs.
    func label(_ tick: Double) -> String {
        let step = ticks.count > 1 ? ticks[1] - ticks[0] : abs(tick)
        let largest = max(abs(domain.lowerBound), abs(domain.upperBound))
        if largest >= 1e6 || (largest < 1e-3 && largest > 0) { return Figure.scientific(tick) }
        let digits = step > 0 && step < 1 ? min(6, Int(ceil(-log10(step) - 1e-9))) : 0
        return Figure.fixed(tick, digits)
    }
}

/// Numbers as plots and pages show them.
package enum Figure {
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        let text = String(format: "%.\(digits)f", value)
        return text.hasPrefix("-") && !text.contains { ("1"..."9").contains($0) } ? String(text.dropFirst()) : text
    }

    /// Four significant digits at most.
    package static func short(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let size = abs(value)
        if size != 0, size < 1e-3 || size >= 1e6 { return scientific(value) }
        return fixed(value, size >= 100 ? 1 : size >= 10 ? 2 : 3)
    }

    package static func scientific(_ value: Double) -> String {
        guard value != 0 else { return "0" }
        let parts = String(format: "%.2e", value).split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else { return "\(value)" }
        var mantissa = String(parts[0])
        while mantissa.contains("."), mantissa.hasSuffix("0") || mantissa.hasSuffix(".") { mantissa.removeLast() }
        return "\(mantissa)e\(exponent)"
    }

    /// 1,234,567.
    package static func grouped(_ count: Int) -> String {
        let digits = String(abs(count))
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return count < 0 ? "-" + text : text
    }

    /// Bytes in binary units.
    package static func bytes(_ count: Int) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
        var (value, unit) = (Double(count), 0)
        while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
        return unit == 0 ? "\(count) bytes" : "\(fixed(value, value < 10 ? 1 : 0)) \(units[unit])"
    }

    /// 1:02:03 or 2:03.
    package static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "–" }
        let whole = Int(seconds.rounded())
        let tail = String(format: "%02d", whole % 60)
        return whole >= 3600
            ? "\(whole / 3600):\(String(format: "%02d", whole / 60 % 60)):\(tail)" : "\(whole / 60):\(tail)"
    }

    /// A coordinate.
    static func point(_ value: Double) -> String {
        let text = fixed(value, 1)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
