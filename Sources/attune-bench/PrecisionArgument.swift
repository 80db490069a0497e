import ArgumentParser
import Tensors

/// What is measured here are the CPU's loops.
extension Precision: ExpressibleByArgument {
    init?(argument: String) {
        guard let known = Precision(rawValue: argument), Self.ofCPU.contains(known) else { return nil }
        self = known
    }

    static var allValueStrings: [String] { ofCPU.map(\.rawValue) }

    /// What a measurement's name ends in.
    var suffix: String { self == .float32 ? "" : ", \(rawValue)" }
}
