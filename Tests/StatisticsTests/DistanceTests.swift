import Foundation
import Tensors
import Testing

import Statistics

/// Every value against SciPy, torch-fidelity, prdc and the formula of CMMD.
@Suite struct DistanceTests {
    /// With more images than dimensions, and with fewer.
    @Test(arguments: ["", "few-"])
    func agreesWithTheReferences(_ prefix: String) throws {
        let golden = try MetricsGoldens.expected()
        let expected = prefix.isEmpty ? golden.many : golden.few
        let (real, fake) = (
            try MetricsGoldens.features("\(prefix)real.npy"), try MetricsGoldens.features("\(prefix)fake.npy")
        )
        let distance = try FrechetDistance.between(FeatureStatistics(real), FeatureStatistics(fake))
        // Roots of values near zero keep half of their digits.
        #expect(agree(distance, expected.fid_exact, within: 1e-7))
        #expect(agree(distance, expected.fid_sqrtm))
        #expect(agree(distance, expected.fid_torch_fidelity))

        let kid = try KernelInceptionDistance(
            real, fake, subsets: golden.settings.subsets, size: golden.settings.size,
            seed: UInt32(golden.settings.seed))
        #expect(agree(kid.mean, expected.kid_mean, within: 1e-9))
        #expect(agree(kid.deviation, expected.kid_std, within: 1e-9))
        #expect(agree(KernelInceptionDistance.ofAll(real, fake).value, expected.kid_all, within: 1e-9))

        #expect(agree(try CLIPMeanDiscrepancy(real, fake).value, expected.cmmd, within: 1e-9))
        #expect(
            agree(
                try CLIPMeanDiscrepancy(real.normalized, fake.normalized).value, expected.cmmd_normalized,
                within: 1e-9))

        let shares = try PrecisionRecall(real: real, generated: fake, k: golden.settings.k)
        #expect(agree(shares.precision, expected.precision))
        #expect(agree(shares.recall, expected.recall))
        #expect(agree(shares.density, expected.density))
        #expect(agree(shares.coverage, expected.coverage))
    }

    @Test func meanAndCovarianceAreEnoughForTheFrechetDistance() throws {
        let expected = try MetricsGoldens.expected().many
        for (a, b) in [("real-statistics.npz", "fake-statistics.npz"), ("real.npy", "fake-statistics.npz")] {
            let files = (try FeatureFile(MetricsGoldens.path(a)), try FeatureFile(MetricsGoldens.path(b)))
            #expect(agree(try FrechetDistance.between(files.0.statistics, files.1.statistics), expected.fid_exact))
        }
    }

    @Test func aSetIsAtNoDistanceFromItself() throws {
        for name in ["real.npy", "few-real.npy"] {
            let set = try MetricsGoldens.features(name)
            let statistics = FeatureStatistics(set)
            let distance = try FrechetDistance.between(statistics, statistics)
            #expect(abs(distance) < 1e-6 * statistics.covariance.trace)
            #expect(abs(try CLIPMeanDiscrepancy(set, set).value) < 1e-9)
        }
    }

    @Test func blocksDoNotChangeWhatIsSummed() throws {
        // More pairs than one block takes.
        let values = CounterGenerator(seed: 3, stream: 0).normal([2600, 3]).values.map(Double.init)
        let matrix = DoubleMatrix(rows: 2600, columns: 3, values: values)
        let sums = KernelBlocks.rowSums(matrix, matrix) { product, _, _ in product }
        for row in [0, 1611, 1613, 2599] {
            let plain = (0..<2600).reduce(0.0) { sum, other in
                sum + zip(matrix.row(row), matrix.row(other)).reduce(0) { $0 + $1.0 * $1.1 }
            }
            #expect(abs(sums[row] - plain) < 1e-8)
        }
    }
}

/// Factors and draws that the distances are made of.
@Suite struct LinearAlgebraTests {
    @Test func eigenvaluesAreNumPys() throws {
        let expected = try MetricsGoldens.expected()
        let covariance = FeatureStatistics(try MetricsGoldens.features("real.npy")).covariance
        let values = try #require(covariance.symmetricEigenvalues)
        #expect(zip(values, expected.spectrum).allSatisfy { agree($0, $1, within: 1e-9) })
        let (again, vectors) = try #require(covariance.symmetricEigen)
        #expect(zip(again, values).allSatisfy { agree($0, $1, within: 1e-9) })
        var scaled = vectors
        for row in 0..<scaled.rows { for column in 0..<scaled.columns { scaled[row, column] *= values[row] } }
        let restored = DoubleMatrix.product(vectors, .transposed, scaled, .plain)
        #expect(zip(restored.values, covariance.values).allSatisfy { abs($0 - $1) < 1e-10 })
    }

    @Test(arguments: [3, 8])
    func aFactorTimesItselfIsTheMatrix(rank: Int) throws {
        let values = CounterGenerator(seed: 1, stream: UInt64(rank)).normal([rank, 8]).values.map(Double.init)
        let matrix = DoubleMatrix(rows: rank, columns: 8, values: values).gram
        let factor = try #require(matrix.squareRootFactor)
        #expect(zip(factor.gram.values, matrix.values).allSatisfy { abs($0 - $1) < 1e-9 })
        #expect((matrix.choleskyFactor != nil) == (rank == 8) || rank == 3)
    }

    @Test func notANumberHasNoEigenvalues() {
        #expect(DoubleMatrix(rows: 2, columns: 2, values: [1, .nan, .nan, 1]).symmetricEigenvalues == nil)
    }

    @Test func theSameSeedPicksTheSameRowsAsNumPy() throws {
        var generator = NumPyGenerator(seed: UInt32(try MetricsGoldens.expected().settings.seed))
        for expected in try MetricsGoldens.expected().choices {
            #expect(Array(generator.choice(220, expected.count)) == expected)
        }
    }
}
