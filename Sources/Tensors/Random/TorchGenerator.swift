import CKernels

import Glibc

/// The generator behind `torch.randn` on a CPU: the same seed gives the same noise, to a few units in the last place.
package struct TorchGenerator: Sendable {
    private var engine = ck_mt19937()
    /// The second value of the last pair, when values are drawn one by one.
    private var spare: Double?

    /// - Parameter seed: its low 32 bits count, as in torch.
    package init(seed: UInt64) {
        ck_mt19937_seed(&engine, UInt32(truncatingIfNeeded: seed))
    }

    /// Standard normal values.
    package mutating func normal(_ shape: [Int]) -> Tensor {
        let out = Output(shape)
        let count = out.storage.count
        if count >= 16 {
            ck_torch_normal(&engine, out.pointer, count)
        } else {
            for i in 0..<count { out.pointer[i] = Float(nextNormal()) }
        }
        return out.tensor
    }

    private mutating func nextNormal() -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        let (u1, u2) = (nextUniform(), nextUniform())
        let radius = (-2 * log1p(-u2)).squareRoot()
        spare = radius * sin(2 * .pi * u1)
        return radius * cos(2 * .pi * u1)
    }

    private mutating func nextUniform() -> Double {
        let high = UInt64(ck_mt19937_next(&engine))
        let low = UInt64(ck_mt19937_next(&engine))
        return Double((high << 32 | low) & ((1 << 53) - 1)) * 0x1p-53
    }
}
