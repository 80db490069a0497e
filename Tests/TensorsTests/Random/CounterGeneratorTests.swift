import Tensors
import Testing

@Suite struct CounterGeneratorTests {
    @Test func knownPhiloxValues() {
        // Random123's known answers for philox4x32-10: all zeros.
        #expect(CounterGenerator(seed: 0, stream: 0).bits(0) == 0x6627_e8d5_e169_c58d)
    }

    @Test func normalsHaveUnitVariance() {
        let x = CounterGenerator(seed: 9, stream: 4).normal([40_000]).values.map(Double.init)
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        #expect(abs(mean) < 0.02)
        #expect(abs(variance - 1) < 0.03)
    }

    @Test func prefixesAgree() {
        let generator = CounterGenerator(seed: 9, stream: 4)
        #expect(Array(generator.normal([100]).values.prefix(37)) == generator.normal([37]).values)
    }

    @Test func integersStayBelowTheirBound() {
        let generator = CounterGenerator(seed: 1, stream: 2)
        let drawn = (0..<5000).map { generator.integer(UInt64($0), below: 10) }
        #expect(Set(drawn) == Set(0..<10))
    }
}
