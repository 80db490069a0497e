import Codecs
import Foundation
import Tensors
import Testing

import Statistics

/// Files of features that NumPy wrote, and those that are refused.
@Suite struct FeatureFileTests {
    @Test(arguments: [
        "le-f2-C.npy", "le-f4-C.npy", "le-f4-F.npy", "le-f8-C.npy", "be-f2-F.npy", "be-f4-F.npy", "be-f8-C.npy",
        "be-f8-F.npy", "version-2.npy", "version-3.npy", "stored.npz", "deflated.npz", "bytes.npz",
    ])
    func everyFormHoldsTheSame(_ name: String) throws {
        let features = try MetricsGoldens.features("formats/\(name)")
        #expect(features.matrix.rows == 7 && features.matrix.columns == 5)
        #expect(features.matrix.values == (0..<35).map { (Double($0) - 11) / 4 })
    }

    @Test func namesOfImagesComeAlong() throws {
        let names = (0..<7).map { "image-\($0)é.png" }
        for file in ["stored.npz", "bytes.npz"] {
            #expect(try MetricsGoldens.features("formats/\(file)").names == names)
        }
    }

    @Test(arguments: [
        ("bad-object.npy", "pickled"), ("bad-one-row.npy", "one image"), ("bad-empty.npy", "no features"),
        ("bad-three-dimensions.npy", "[7, 5, 1]"), ("bad-integers.npy", "floating-point"),
        ("bad-records.npy", "several fields"), ("bad-nan.npy", "row 3, column 2 is nan"),
        ("bad-infinity.npy", "row 3, column 2 is -inf"), ("bad-two-tables.npz", "--key"),
        ("bad-names.npz", "3 names for 7 rows"), ("bad-sigma.npz", "[5, 4]"), ("missing.npy", "No such file"),
    ])
    func whatCannotBeUsedIsNamed(_ name: String, _ reason: String) throws {
        let path = MetricsGoldens.path("formats/\(name)")
        let message = try #require(MetricsGoldens.refusal(path))
        #expect(message.hasPrefix(path + ": ") && message.contains(reason), "\(message)")
        #expect(!message.contains("\n"))
    }

    /// A file that was cut off anywhere is refused, and never read beyond its end.
    @Test(arguments: ["le-f4-C.npy", "version-2.npy", "stored.npz", "deflated.npz"])
    func aFileThatIsCutOffIsRefused(_ name: String) throws {
        let scratch = try ScratchFolder()
        let whole = try Data(contentsOf: URL(fileURLWithPath: MetricsGoldens.path("formats/\(name)")))
        for length in stride(from: 0, to: whole.count, by: 7) {
            let path = try scratch.file("cut.npy", whole.prefix(length))
            #expect(MetricsGoldens.refusal(path) != nil, "\(length) of \(whole.count) bytes")
        }
    }

    /// Bytes that changed give an error or other values, and no crash; in an archive the checksum tells.
    @Test func changedBytesAreNoDanger() throws {
        let scratch = try ScratchFolder()
        for name in ["deflated.npz", "stored.npz", "version-3.npy"] {
            let whole = try Data(contentsOf: URL(fileURLWithPath: MetricsGoldens.path("formats/\(name)")))
            for place in 0..<min(whole.count, 1200) {
                var changed = whole
                changed[place] ^= 0xFF
                _ = MetricsGoldens.refusal(try scratch.file("changed.npz", changed))
            }
        }
    }

    @Test func anArrayIsChosenByItsKey() throws {
        let path = MetricsGoldens.path("formats/bad-two-tables.npz")
        #expect(try FeatureFile(path, key: "b").features?.count == 7)
        let message = try #require(MetricsGoldens.refusal(path, key: "c"))
        #expect(message.contains("no array 'c'") && message.contains("a, b"))
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        let scratch = try ScratchFolder()
        var archive = Data()
        var writer = ZipWriter { archive.append($0) }
        try writer.add("features.npy", NumPyArray.file([1, 2, 3, 4, 5, 6], shape: [3, 2]))
        try writer.add("file_names.npy", NumPyArray.file(["a.png", "längst.png", ""]))
        try writer.finish()
        let file = try FeatureFile(scratch.file("made.npz", archive))
        #expect(file.features?.matrix.values == [1, 2, 3, 4, 5, 6])
        #expect(file.features?.names == ["a.png", "längst.png", ""])
    }
}

/// Reports: intervals, notes and refusals.
@Suite struct QualityReportTests {
    private func report(_ a: String, _ b: String, _ change: (inout QualitySettings) -> Void = { _ in }) throws
        -> QualityReport
    {
        var settings = QualitySettings()
        settings.kidSubsetSize = 50
        change(&settings)
        return try QualityReport(
            reference: FeatureFile(MetricsGoldens.path(a)), generated: FeatureFile(MetricsGoldens.path(b)), settings)
    }

    @Test func everyValueLiesInItsInterval() throws {
        let report = try report("real.npy", "fake.npy")
        #expect(
            report.values.map(\.name) == ["fd", "kid", "cmmd", "precision", "recall", "density", "coverage"])
        for value in report.values {
            let interval = try #require(value.interval, "\(value.name)")
            #expect(interval.low <= value.value && value.value <= interval.high && interval.low < interval.high)
        }
        #expect(report.notes.isEmpty)
    }

    /// Of many sets from one distribution, the interval of one holds the values of about nineteen in twenty.
    @Test func anIntervalHoldsWhatOtherDrawsGive() throws {
        let all = try MetricsGoldens.features("real.npy")
        let values = (0..<all.count).map { all.matrix[$0, 0] }
        let mean = values.reduce(0, +) / Double(values.count)
        let interval = try #require(
            ResampledMeans.interval(around: mean, [values], resamples: 4000, seed: 1))
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        let reach = 1.96 * (variance / Double(values.count)).squareRoot()
        #expect(agree(interval.high - interval.low, 2 * reach, within: 0.06))
    }

    @Test func fewImagesMakeABiasedDistance() throws {
        let report = try report("few-real.npy", "few-fake.npy")
        #expect(report.notes.contains { $0.contains("biased") && $0.contains("30 images and 40 dimensions") })
        #expect(report.values.first?.name == "fd" && report.values.first?.interval == nil)
    }

    @Test func statisticsAloneGiveTheFrechetDistanceAlone() throws {
        let report = try report("real-statistics.npz", "fake.npy")
        #expect(report.values.map(\.name) == ["fd"])
        #expect(report.notes.contains { $0.contains("mu and sigma alone") })
        #expect(throws: MetricsError.self) {
            _ = try self.report("real-statistics.npz", "fake.npy") { $0.metrics = [.kid] }
        }
    }

    @Test func twoWidthsAreNamed() throws {
        let error = #expect(throws: MetricsError.self) { _ = try report("real.npy", "few-fake.npy") }
        #expect(error?.description.contains("40 dimensions") == true)
        #expect(error?.description.contains("of 12: compare features of one encoder") == true)
    }

    @Test func neighborsNeedImages() {
        let error = #expect(throws: MetricsError.self) {
            _ = try report("few-real.npy", "few-fake.npy") { ($0.metrics, $0.neighbors) = ([.prdc], 24) }
        }
        #expect(error?.description.contains("24 images") == true)
    }

    @Test func itStopsWhenAsked() {
        var settings = QualitySettings()
        settings.metrics = [.kid]
        #expect(throws: CancellationError.self) {
            _ = try QualityReport(
                reference: FeatureFile(MetricsGoldens.path("real.npy")),
                generated: FeatureFile(MetricsGoldens.path("fake.npy")), settings, isCancelled: { true })
        }
    }
}
