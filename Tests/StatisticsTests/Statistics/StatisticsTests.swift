import Foundation
import Statistics
import Testing

/// Against scipy and scikit-learn (Tests/Goldens/make_statistics_goldens.py).
@Suite("Statistics") struct StatisticsTests {
    private struct Goldens: Decodable {
        struct Ranks: Decodable {
            let a, b: [Double]
            let accepted: [Bool]
            let auc, spearman, kendall: Double
            let ranks: [Double]
        }
        struct Mean: Decodable {
            let values: [Double]
            let mean, low, high: Double
        }
        let ranks: [Ranks]
        let means: [Mean]
    }

    private let goldens: Goldens

    init() throws {
        let file = URL(fileURLWithPath: #filePath).appending(path: "../../../Goldens/statistics.json").standardized
        goldens = try JSONDecoder().decode(Goldens.self, from: Data(contentsOf: file))
    }

    @Test func ranksAndTheirCorrelations() throws {
        for golden in goldens.ranks {
            #expect(RankCorrelation.ranks(golden.a) == golden.ranks)
            #expect(abs(try #require(RankCorrelation.spearman(golden.a, golden.b)) - golden.spearman) < 1e-12)
            #expect(abs(try #require(RankCorrelation.kendall(golden.a, golden.b)) - golden.kendall) < 1e-12)
            #expect(abs(try #require(WithinPromptAUC.value(golden.a, accepted: golden.accepted)) - golden.auc) < 1e-12)
        }
    }

    @Test func nothingToOrderIsNil() {
        #expect(RankCorrelation.spearman([1, 1, 1], [1, 2, 3]) == nil)
        #expect(RankCorrelation.kendall([1, 2], [3, 3]) == nil)
        #expect(WithinPromptAUC.value([1, 2], accepted: [true, true]) == nil)
        #expect(WithinPromptAUC.value([], accepted: []) == nil)
        #expect(Bootstrap().mean(of: []) == nil)
    }

    @Test func theBestOfTiesIsTheirMean() {
        #expect(WithinPromptAUC.top([1, 3, 3, 2], referee: [1, 1, 0, 1]) == 0.5)
        #expect(WithinPromptAUC.top([1, 4, 3, 2], referee: [1, 0, 1, 1]) == 0)
    }

    @Test func intervalsAreThoseOfScipy() throws {
        for golden in goldens.means {
            let interval = try #require(Bootstrap(resamples: 200_000).mean(of: golden.values))
            #expect(abs(interval.mean - golden.mean) < 1e-12)
            let width = golden.high - golden.low
            #expect(abs(interval.low - golden.low) < 0.01 * width && abs(interval.high - golden.high) < 0.01 * width)
        }
    }

    @Test func intervalsDependOnTheSeedAlone() {
        let values = goldens.means[1].values
        #expect(Bootstrap(seed: 3).mean(of: values) == Bootstrap(seed: 3).mean(of: values))
        #expect(Bootstrap(seed: 3).mean(of: values) != Bootstrap(seed: 4).mean(of: values))
        #expect(Bootstrap().mean(of: [2, 2, 2]) == MeanInterval(mean: 2, low: 2, high: 2, count: 3))
    }
}
