import ArgumentParser

/// A part of a whole, as "5%" or "0.05".
package struct Fraction: ExpressibleByArgument, Equatable {
    /// Above 0, at most 1.
    package let value: Double

    package init?(argument: String) {
        let isPercent = argument.hasSuffix("%")
        guard let number = Double(isPercent ? String(argument.dropLast()) : argument) else { return nil }
        value = isPercent ? number / 100 : number
        guard value > 0, value <= 1 else { return nil }
    }
}
