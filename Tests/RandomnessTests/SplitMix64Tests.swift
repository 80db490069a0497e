import Randomness
import Testing

@Suite struct SplitMix64Tests {
    /// The first numbers of the reference implementation for this seed.
    @Test func numbersAreThoseOfTheReference() {
        var generator = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<5).map { _ in generator.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    /// From the list of test vectors in Landon Curt Noll's FNV.
    @Test func textsHashAsFNV1a() {
        #expect(SplitMix64.hash("") == 0xcbf2_9ce4_8422_2325)
        #expect(SplitMix64.hash("a") == 0xaf63_dc4c_8601_ec8c)
        #expect(SplitMix64.hash("foobar") == 0x8594_4171_f739_67e8)
    }

    @Test func choicesStayInTheirRange() {
        var generator = SplitMix64(seed: 3)
        #expect(Set((0..<200).map { _ in generator.integer(below: 5) }) == [0, 1, 2, 3, 4])
        #expect(generator.integer(below: 0) == 0)
        #expect((0..<200).allSatisfy { _ in (2...3).contains(generator.number(in: 2...3)) })
        let order = generator.shuffled(Array(0..<50))
        #expect(order.sorted() == Array(0..<50) && order != Array(0..<50))
    }
}
