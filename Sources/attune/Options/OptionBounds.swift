import ArgumentParser

/// The values that options may have. What is outside is a wrong command line (status 64), never an overflow or a
/// request for all memory later on.
enum Bounds {
    /// Samples, images, bytes of a file and the like.
    static let count = 1...1_000_000_000
    /// What is held in memory at once.
    static let batch = 1...65_536
    static let imagesPerPrompt = 1...1_000_000
    /// The largest integer that JSON readers keep exact, since selections record it.
    static let top = 1...(1 << 53)
    static let draws = 1...10_000
    static let nearMisses = 1...1_000
    static let resamples = 100...1_000_000
    static let repeats = 1...1_000_000
    /// Of a drawing.
    static let rowsOrColumns = 1...10_000
    /// No text encoder has more layers.
    static let clipSkip = 0...100
    static let guidance = 0.0...1000.0
}

/// Refuses what is not a count within bounds.
func requirePositive(_ value: Int, _ option: String, _ bounds: ClosedRange<Int> = Bounds.count) throws {
    if value < bounds.lowerBound {
        throw ValidationError("\(option) is \(value); it must be at least \(bounds.lowerBound)")
    }
    if value > bounds.upperBound {
        throw ValidationError("\(option) is \(value); it must be at most \(bounds.upperBound)")
    }
}

/// Refuses a scale of guidance that is not a number, or none that a model was ever used with.
func requireGuidance(_ value: Double) throws {
    guard Bounds.guidance.contains(value) else {
        throw ValidationError("--guidance is \(value); it must be a number from 0 to 1000")
    }
}
