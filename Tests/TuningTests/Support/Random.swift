import Foundation
import Tensors

/// Reproducible values for tests.
func randomTensor(_ shape: [Int], seed: UInt64, scale: Float = 1) -> Tensor {
    var generator = TorchGenerator(seed: seed)
    return generator.normal(shape) * scale
}

/// ‖a − b‖ / ‖b‖
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    var difference = 0.0
    var size = 0.0
    for (x, y) in zip(a, b) {
        difference += pow(Double(x) - Double(y), 2)
        size += pow(Double(y), 2)
    }
    return size == 0 ? difference.squareRoot() : (difference / size).squareRoot()
}

/// A folder that is removed when the value goes away.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("tuning-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
