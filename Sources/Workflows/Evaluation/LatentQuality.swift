import CorpusStore
import Statistics
import Tensors

/// How far images are from real ones without an outside model: the Fréchet distance of their latents, averaged over a grid.
/// Few dimensions, so that some hundred images are enough; it sees composition and color, not detail.
struct LatentQuality {
    /// The name of the measure in reports.
    static let metric = "fd_latents"
    /// Cells of the grid along each side.
    private static let side = 4

    private let reader: SampleReader
    private let reference: FeatureFile

    /// - Parameter condition: an SQL condition for the real images.
    /// - Throws: ``Failure`` where they are none, or have no latents.
    init(reference condition: String, in corpus: Corpus) throws {
        reader = SampleReader(corpus)
        let rows = try corpus.query(CatalogueQuery(condition: condition))
        guard !rows.isEmpty else {
            throw Failure("--reference \(condition): no sample fits; import real images with --model")
        }
        reference = .features(try Self.features(of: rows, reader, called: "the reference"))
    }

    /// The distance with its interval over the images that were drawn, and what should be known of it.
    func measure(
        _ rows: [CatalogueRow], called name: String
    ) throws -> (value: Double, interval: MetricInterval?, reference: Int, notes: [String]) {
        var settings = QualitySettings()
        settings.metrics = [.fd]
        let report = try QualityReport(
            reference: reference, generated: .features(try Self.features(of: rows, reader, called: name)), settings)
        return (report.values[0].value, report.values[0].interval, reference.count ?? 0, report.notes)
    }

    private static func features(
        of rows: [CatalogueRow], _ reader: SampleReader, called name: String
    ) throws -> Features {
        if let row = rows.first(where: { $0.latentShape.count != 3 || $0.latentShape != rows[0].latentShape }) {
            throw Failure(
                "sample \(row.id): has no latent, or one of another shape than others of \(name); import images with --model, "
                    + "and of one size")
        }
        let shape = rows[0].latentShape
        var values: [Double] = []
        for start in stride(from: 0, to: rows.count, by: 256) {
            for latent in try reader.latents(Array(rows[start..<min(start + 256, rows.count)])) {
                values += averaged(latent, shape)
            }
        }
        return try Features(
            DoubleMatrix(rows: rows.count, columns: values.count / rows.count, values: values), source: name)
    }

    /// Means over the cells of a grid, channel by channel; smaller latents as they are.
    private static func averaged(_ latent: [Float], _ shape: [Int]) -> [Double] {
        let (height, width) = (shape[1], shape[2])
        let (rows, columns) = (min(side, height), min(side, width))
        return (0..<shape[0]).flatMap { channel in
            (0..<rows * columns).map { cell in
                let (row, column) = cell.quotientAndRemainder(dividingBy: columns)
                let (ys, xs) = (
                    row * height / rows..<(row + 1) * height / rows,
                    column * width / columns..<(column + 1) * width / columns
                )
                var sum = 0.0
                for y in ys { for x in xs { sum += Double(latent[(channel * height + y) * width + x]) } }
                return sum / Double(ys.count * xs.count)
            }
        }
    }
}
