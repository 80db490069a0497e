import ArgumentParser
package import Foundation

/// A length of time, as "14d", "12h", "30m" or "0".
package struct Age: ExpressibleByArgument, Equatable {
    package let seconds: TimeInterval

    /// A century.
    private static let longest: TimeInterval = 36_525 * 86_400

    package init(seconds: TimeInterval) { self.seconds = seconds }

    package init?(argument: String) {
        let units: [Character: Double] = ["d": 86_400, "h": 3600, "m": 60, "s": 1]
        let unit = argument.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? argument : String(argument.dropLast())), number >= 0, number.isFinite,
            unit != nil || number == 0
        else { return nil }
        seconds = number * (unit ?? 0)
        // Times are counted in nanoseconds elsewhere.
        guard seconds <= Self.longest else { return nil }
    }

    package var defaultValueDescription: String { "\(Int(seconds / 86_400))d" }
}

/// A day, a time, or an age before now: "2026-11-01", "2026-11-01T12:00:00Z", "7d".
package struct Moment: ExpressibleByArgument, Equatable {
    package let date: Date

    package init?(argument: String) {
        if let age = Age(argument: argument) {
            date = Date(timeIntervalSinceNow: -age.seconds)
        } else if let time = try? Date(argument, strategy: .iso8601) {
            date = time
        } else if let day = try? Date(argument, strategy: .iso8601.year().month().day()) {
            date = day
        } else {
            return nil
        }
    }
}
