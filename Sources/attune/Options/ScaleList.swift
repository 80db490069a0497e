import ArgumentParser

/// Scales of guidance: numbers separated by commas.
struct ScaleList: ExpressibleByArgument {
    let values: [Double]

    init(_ values: [Double]) { self.values = values }

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard !numbers.isEmpty, !numbers.contains(nil) else { return nil }
        values = numbers.compactMap(\.self)
    }

    var defaultValueDescription: String { values.map { "\($0)" }.joined(separator: ",") }
}
