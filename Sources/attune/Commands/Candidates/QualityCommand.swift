import ArgumentParser
import Foundation
import Statistics
import Workflows

struct QualityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quality", abstract: "Measure how close generated images are to real ones, by their features.",
        discussion: """
            Each argument is a file of feature vectors, as attune features and other extractors write them: .npy, or \
            .npz with an array of features, or with mu and sigma as pytorch-fid keeps them. With --encoder it may also \
            be a folder of images, or a selection of --corpus. The first is the reference, for precision and coverage. \
            Metrics: fd (Fréchet distance: FID over Inception's features), kid, cmmd, prdc \
            (precision, recall, density, coverage). Intervals hold 95 %, from a bootstrap over the images.
            """)

    @Argument(help: "Real images: their features, a folder, or a selection.", completion: .file())
    var reference: String

    @Argument(help: "Generated images, given in the same ways.", completion: .file())
    var generated: String

    @Option(help: "What to measure, separated by commas (default: all that the files allow).")
    var metrics: MetricList?

    @Option(help: "A vision encoder's folder, as attune features takes it.", completion: .directory)
    var encoder: String?

    @OptionGroup var options: EncoderOptions

    @OptionGroup var store: CorpusOptions

    @Option(help: "The array that holds the features in a .npz file (default: found by name and shape).")
    var key: String?

    @Flag(help: "Scale every vector to length 1 first, as CMMD's definition does with CLIP's.")
    var normalize = false

    @Option(help: "Random subsets of KID.")
    var kidSubsets = KernelInceptionDistance.defaultSubsets

    @Option(help: "Images of such a subset; all where there are fewer.")
    var kidSubsetSize = KernelInceptionDistance.defaultSize

    @Option(help: "The neighbor that precision, recall, density and coverage reach to.")
    var neighbors = PrecisionRecall.defaultNeighbors

    @Option(help: "Bootstrap resamples; the Fréchet distance takes a twenty-fifth of them. 0: no intervals.")
    var resamples = 1000

    @Option(help: "The seed of subsets and resamples.")
    var seed = KernelInceptionDistance.defaultSeed

    @OptionGroup var output: OutputOptions

    func validate() throws {
        try requirePositive(kidSubsets, "--kid-subsets", 1...100_000)
        try requirePositive(kidSubsetSize, "--kid-subset-size", 2...1_000_000)
        try requirePositive(neighbors, "--neighbors", 1...1000)
        guard (0...1_000_000).contains(resamples) else {
            throw ValidationError("--resamples is \(resamples); it must be from 0 to 1000000")
        }
    }

    func run() async throws {
        var job = QualityJob()
        (job.settings, job.key, job.isNormalized) = (settings, key, normalize)
        job.extraction = encoder.map(options.job)
        let report = try job.run(reference, generated, corpus: { try store.open() }, monitor: TerminalMonitor.init)
        guard let report else { try Interruption.stop("stopped; nothing was kept") }
        print(output.json ? try jsonText(report) : report.text)
    }

    private var settings: QualitySettings {
        var settings = QualitySettings()
        settings.metrics = metrics?.metrics
        (settings.kidSubsets, settings.kidSubsetSize) = (kidSubsets, kidSubsetSize)
        (settings.neighbors, settings.seed) = (neighbors, seed)
        (settings.resamples, settings.frechetResamples) = (resamples, resamples / 25)
        return settings
    }
}

/// `fd,kid`: metrics separated by commas, each once.
struct MetricList: ExpressibleByArgument {
    let metrics: [QualityMetric]

    init?(argument: String) {
        let names = argument.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let metrics = names.compactMap(QualityMetric.init(rawValue:))
        guard !names.isEmpty, metrics.count == names.count, Set(metrics).count == names.count else { return nil }
        self.metrics = metrics
    }

    static var allValueStrings: [String] { QualityMetric.allCases.map(\.rawValue) }
}

extension QualityReport {
    /// As a table, with the notes below it.
    fileprivate var text: String {
        let table = Table(
            columns: ["metric", "value", "95 % interval", ""],
            rows: values.map { value in
                [
                    value.name, digits(value.value),
                    value.interval.map { "\(digits($0.low)) to \(digits($0.high))" } ?? "-",
                    value.deviation.map { "± \(digits($0)) over subsets" } ?? "",
                ]
            })
        func images(_ count: Int?) -> String { count.map { "\($0) images" } ?? "mu and sigma" }
        let heading =
            "\(reference) (\(images(referenceImages))) against \(generated) (\(images(generatedImages))), "
            + "\(dimensions) dimensions"
        return ([heading, table.text] + notes.map { "note: \($0)" }).joined(separator: "\n")
    }

    private func digits(_ value: Double) -> String {
        let size = abs(value)
        return formatted(value, digits: size >= 100 ? 2 : size >= 1 ? 4 : 6)
    }
}
