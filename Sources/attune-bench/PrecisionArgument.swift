import ArgumentParser
import Tensors

extension Precision: ExpressibleByArgument {
    /// What a measurement's name ends in.
    var suffix: String { self == .float32 ? "" : ", \(rawValue)" }
}
