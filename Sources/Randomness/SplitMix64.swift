/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same seed gives the same numbers on every platform and with every
/// version of Swift. Fast, and of no use for secrets.
///
///     var generator = SplitMix64(seed: 42)
///     let order = generator.shuffled(["a", "b", "c"])
package struct SplitMix64: Sendable {
    @usableFromInline var state: UInt64

    @inlinable package init(seed: UInt64) { state = seed }

    @inlinable package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        return Self.mix(state)
    }

    /// An integer in `0..<bound`; 0 for a bound below 1.
    @inlinable package mutating func integer(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(max(bound, 1))).high)
    }

    /// A number in `0..<1`, a multiple of 2⁻⁵³.
    @inlinable package mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number in a range.
    package mutating func number(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * fraction()
    }

    /// The elements in an order of which each is as likely (Fisher–Yates).
    package mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var elements = elements
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, integer(below: last + 1))
        }
        return elements
    }

    /// Changes about half of the bits for each changed bit of the value.
    @inlinable package static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number that follows from the UTF-8 of a text alone (FNV-1a).
    ///
    /// - Parameters:
    ///   - text: the text.
    ///   - start: another one gives other numbers.
    package static func hash(_ text: String, from start: UInt64 = 0xcbf2_9ce4_8422_2325) -> UInt64 {
        text.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
