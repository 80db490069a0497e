import ArgumentParser
package import Foundation

/// A part of a whole, as "5%" or "0.05".
package struct Share: ExpressibleByArgument, Equatable {
    /// Above 0, at most 1.
    package let value: Double

    package init?(argument: String) {
        let isPercent = argument.hasSuffix("%")
        guard let number = Double(isPercent ? String(argument.dropLast()) : argument) else { return nil }
        value = isPercent ? number / 100 : number
        guard value > 0, value <= 1 else { return nil }
    }
}

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

/// A number of bytes, as "256MiB", "1GiB", "64KiB" or "1000".
package struct ByteSize: ExpressibleByArgument, Equatable {
    package let bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    package init?(argument: String) {
        let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)]
        let unit = units.first { argument.hasSuffix($0.0) }
        guard let number = Int(argument.dropLast(unit?.0.count ?? 0)), number > 0 else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (unit?.1 ?? 0))
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    package var defaultValueDescription: String { description }

    /// Rounded to a tenth of its unit.
    package var description: String {
        for (name, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes >= 1 << shift {
            let value = Double(bytes) / Double(1 << shift)
            return value == value.rounded() ? "\(Int(value)) \(name)" : "\(formatted(value, digits: 1)) \(name)"
        }
        return "\(bytes) bytes"
    }
}
