package import Tensor

/// The random numbers that belong to one entry of the stream.
package struct SampleDraws: Sendable {
    package let seed: UInt64

    package init(seed: UInt64) {
        self.seed = seed
    }

    /// The entry's timestep, uniform in 0..<count.
    package func timestep(_ index: Int, of count: Int) -> Int {
        CounterGenerator(seed: seed, stream: DrawPurpose.timestep.stream(UInt64(index))).integer(0, below: count)
    }

    /// The entry's standard normal noise.
    package func noise(_ index: Int, shape: [Int]) -> Tensor {
        CounterGenerator(seed: seed, stream: DrawPurpose.noise.stream(UInt64(index))).normal(shape)
    }
}
