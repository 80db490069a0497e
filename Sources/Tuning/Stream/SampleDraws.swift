package import Tensors

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

    /// The entry's timestep, uniform in a range.
    package func timestep(_ index: Int, in range: ClosedRange<Int>) -> Int {
        range.lowerBound + timestep(index, of: range.count)
    }

    /// Whether the entry is shown the empty prompt in place of its own.
    ///
    /// - Parameters:
    ///   - index: the entry's place in the run.
    ///   - rate: how likely that is.
    package func dropsCaption(_ index: Int, rate: Double) -> Bool {
        let bits = CounterGenerator(seed: seed, stream: DrawPurpose.caption.stream(UInt64(index))).bits(0)
        return Double(bits >> 11) * 0x1p-53 < rate
    }

    /// Places of near-miss prompts that the entry is shown, each once, in 0..<count.
    ///
    /// - Parameters:
    ///   - index: the entry's place in the run.
    ///   - wanted: how many, or all where there are fewer.
    ///   - count: how many there are.
    package func negatives(_ index: Int, _ wanted: Int, of count: Int) -> [Int] {
        let generator = CounterGenerator(seed: seed, stream: DrawPurpose.negatives.stream(UInt64(index)))
        var places = Array(0..<count)
        let taken = min(wanted, count)
        for place in 0..<taken {
            places.swapAt(place, place + generator.integer(UInt64(place), below: count - place))
        }
        return Array(places[..<taken])
    }

    /// Which of the `count` worse images the entry is compared with.
    package func partner(_ index: Int, of count: Int) -> Int {
        CounterGenerator(seed: seed, stream: DrawPurpose.partner.stream(UInt64(index))).integer(0, below: count)
    }
}
