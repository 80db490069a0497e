import CorpusStore
import TestSupport
import Testing
import Tuning

/// Which images a loss compares, and what rewards they get.
@Suite struct RowTests {
    private func samples(_ scores: [(String, Double)]) -> [SampleDescription] {
        scores.enumerated().map { SampleDescription(id: .numbered($0), prompt: $1.0, score: $1.1) }
    }

    @Test func everyPairIsOfOnePromptAndApartByTheMargin() throws {
        let samples = samples([("a", 1), ("b", 5), ("a", 3), ("a", 2), ("b", 5), ("a", 3), ("c", 9)])
        let pairs = try PreferencePairs(samples, margin: 1.5, of: "s")
        #expect(pairs.winners.map(\.number) == [2, 5])
        for winner in pairs.winners {
            var bounds: [Int] = []
            let loser = pairs.loser(to: winner) { bound in
                bounds.append(bound)
                return 0
            }
            #expect(loser?.number == 0 && bounds == [1])
        }
        let all = try PreferencePairs(samples, margin: 0, of: "s")
        #expect(all.winners.map(\.number) == [2, 3, 5])
        let losers = (0..<2).map { place in all.loser(to: .numbered(5)) { _ in place } }
        #expect(losers == [.numbered(0), .numbered(3)])
        let worst = all.loser(to: .numbered(0)) { _ in 0 }
        #expect(worst == nil)
    }

    @Test func selectionsWithoutPairsAreRefused() {
        func text(_ scores: [(String, Double)], margin: Double = 0) -> String {
            do {
                _ = try PreferencePairs(samples(scores), margin: margin, of: "judge")
                return ""
            } catch { return error.description }
        }
        #expect(text([("a", 1), ("b", 2)]).contains("one image per prompt"))
        #expect(text([("a", 1), ("a", 1)]).contains("no prompt has two images whose judge differs"))
        #expect(text([("a", 1), ("a", 2)], margin: 3).contains("lower --margin"))
    }

    @Test func rewardsCompareImagesOfAPrompt() throws {
        // Standard deviation of all: √0.1875.
        let rewards = try RewardNormalization.prompt.rewards(
            samples([("a", 1), ("a", 0), ("b", 0), ("b", 0)]), of: "judge")
        let expected = Float(0.5 + 0.5 * min(0.5 / 0.1875.squareRoot(), 1))
        #expect(
            rewards
                == Dictionary(
                    uniqueKeysWithValues: zip((0..<4).map(Digest.numbered), [expected, 1 - expected, 0.5, 0.5])))
        #expect(try RewardNormalization.none.rewards(samples([("a", 0.25)]), of: "judge") == [.numbered(0): 0.25])
    }

    @Test func scoresThatTellNothingApartAreRefused() {
        func text(_ normalization: RewardNormalization, _ scores: [(String, Double)]) -> String {
            do {
                _ = try normalization.rewards(samples(scores), of: "judge")
                return ""
            } catch { return error.description }
        }
        #expect(text(.prompt, [("a", 1), ("a", 1), ("b", 0), ("b", 0)]).contains("same for all images of each prompt"))
        #expect(text(.prompt, [("a", 1), ("b", 0)]).contains("one image per prompt"))
        #expect(text(.none, [("a", 1.5)]).contains("a reward lies in 0…1"))
    }

    @Test func drawsAreInRangeAndDeterministic() {
        let draws = SampleDraws(seed: 3)
        let timesteps = (0..<2000).map { draws.timestep($0, in: 600...799) }
        #expect(timesteps.min() == 600 && timesteps.max() == 799)
        #expect((0..<9).map { draws.timestep($0, in: 0...999) } == (0..<9).map { draws.timestep($0, of: 1000) })
        let dropped = (0..<10_000).count { draws.dropsCaption($0, rate: 0.1) }
        #expect((900...1100).contains(dropped))
        for index in 0..<100 {
            let places = draws.negatives(index, 3, of: 5)
            #expect(Set(places).count == 3 && places.allSatisfy { (0..<5).contains($0) })
            #expect(places == draws.negatives(index, 3, of: 5))
            #expect(Set(draws.negatives(index, 9, of: 4)) == [0, 1, 2, 3])
        }
        #expect(Set((0..<200).map { draws.partner($0, of: 3) }) == [0, 1, 2])
    }
}
