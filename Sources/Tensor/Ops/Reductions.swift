import CKernels

/// Sums in double precision over fixed chunks, so that the value does not depend on threads.
package enum Reduction {
    private static let chunk = 65_536

    /// Σ x².
    package static func sumOfSquares(_ x: Tensor) -> Double {
        chunked(x.count) { ck_sum_of_squares(x.pointer + $0.lowerBound, $0.count) }
    }

    /// ‖a − b‖² of each sample: `[N, …]` → N values.
    package static func squaredDistancePerSample(_ a: Tensor, _ b: Tensor) -> [Double] {
        precondition(a.shape == b.shape, "distance of \(a.shape) and \(b.shape)")
        let samples = a.shape.first ?? 1
        let size = a.count / max(samples, 1)
        return (0..<samples).map { ck_squared_distance(a.pointer + $0 * size, b.pointer + $0 * size, size) }
    }

    /// ⟨a, b⟩ of each row of the last dimension.
    package static func rowDots(_ a: Tensor, _ b: Tensor) -> Tensor {
        precondition(a.shape == b.shape, "row products of \(a.shape) and \(b.shape)")
        let width = a.channels
        let out = Output(a.shape.dropLast() + [])
        Parallel.rows(a.rows, width: width) { range in
            for r in range { out.pointer[r] = Float(ck_dot(a.pointer + r * width, b.pointer + r * width, width)) }
        }
        return out.tensor
    }

    private static func chunked(_ count: Int, _ body: (Range<Int>) -> Double) -> Double {
        let chunks = (count + chunk - 1) / chunk
        let parts = Output([2 * max(chunks, 1)])
        let doubles = UnsafeMutableRawPointer(parts.pointer).assumingMemoryBound(to: Double.self)
        nonisolated(unsafe) let sums = doubles
        Parallel.forEach(chunks) { sums[$0] = body($0 * chunk..<min(($0 + 1) * chunk, count)) }
        return withExtendedLifetime(parts) { (0..<chunks).reduce(0) { $0 + sums[$1] } }
    }
}
