import CKernels

import Glibc

/// A counter-based generator (Philox4x32-10): every value is a function of seed, stream and position alone, so that it
/// does not matter who draws what when.
package struct CounterGenerator: Sendable {
    package let seed: UInt64
    package let stream: UInt64

    package init(seed: UInt64, stream: UInt64) {
        (self.seed, self.stream) = (seed, stream)
    }

    /// The four random words of one block.
    private func words(_ block: UInt64) -> (UInt32, UInt32, UInt32, UInt32) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 4) { buffer in
            guard let base = buffer.baseAddress else { return (0, 0, 0, 0) }
            ck_philox(seed, stream, block, base)
            return (base[0], base[1], base[2], base[3])
        }
    }

    /// 64 random bits, the `position`-th of the stream.
    package func bits(_ position: UInt64) -> UInt64 {
        let w = words(position)
        return UInt64(w.0) << 32 | UInt64(w.1)
    }

    /// A number in `0..<bound`, without measurable bias for bounds far below 2⁶⁴.
    package func integer(_ position: UInt64, below bound: Int) -> Int {
        Int(bits(position).multipliedFullWidth(by: UInt64(max(bound, 1))).high)
    }

    /// Standard normal values (Box–Muller), from block 0 on.
    package func normal(_ shape: [Int]) -> Tensor {
        let out = Output(shape)
        let count = out.storage.count
        for start in stride(from: 0, to: count, by: 4) {
            let w = words(UInt64(start / 4))
            let pairs = [Self.pair(w.0, w.1), Self.pair(w.2, w.3)]
            for i in 0..<min(4, count - start) {
                out.pointer[start + i] = i % 2 == 0 ? pairs[i / 2].0 : pairs[i / 2].1
            }
        }
        return out.tensor
    }

    private static func pair(_ a: UInt32, _ b: UInt32) -> (Float, Float) {
        let u = (Double(a) + 0.5) * 0x1p-32
        let angle = 2 * Double.pi * (Double(b) + 0.5) * 0x1p-32
        let radius = (-2 * log(u)).squareRoot()
        return (Float(radius * cos(angle)), Float(radius * sin(angle)))
    }
}
