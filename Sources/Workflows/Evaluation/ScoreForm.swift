package import CorpusStore
import Diffusion

/// A score to compare with a referee: a column, or an estimate from stored measurements with settings of its own.
///
/// `contrast`, or `contrast:tau=1,error=0.3,above=300,highest=900,weight=kappa,pooling=mean,draws=1,negatives=4,timesteps=5,source=rules`.
package struct ScoreForm: Sendable, Equatable {
    /// As it was written.
    package let text: String
    private let kind: Kind

    private enum Kind: Sendable, Equatable {
        case column(String)
        case errors(any ErrorEstimator, source: String?)
        case trace(MeanKappaEstimator, draws: Int?, timesteps: Int?)

        static func == (a: Kind, b: Kind) -> Bool { "\(a)" == "\(b)" }
    }

    /// - Throws: ``UsageError`` for settings that are none.
    package init(_ text: String) throws(UsageError) {
        self.text = text
        let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            kind = .column(text)
            return
        }
        var settings = Settings(text, parts[1])
        switch parts[0] {
        case "contrast":
            let estimator = ContrastEstimator(
                range: try settings.range(), temperature: try settings.number("tau") ?? ContrastEstimator().temperature,
                pooling: try settings.choice("pooling") ?? ContrastEstimator().pooling,
                errorWeight: try settings.number("error") ?? 0)
            guard estimator.temperature > 0 else { throw UsageError("\(text): tau must be above 0") }
            guard estimator.errorWeight >= 0 else { throw UsageError("\(text): error must be 0 or more") }
            kind = .errors(estimator, source: settings.take("source"))
        case "contrast_hard":
            kind = .errors(HardContrastEstimator(range: try settings.range()), source: settings.take("source"))
        case "pointwise":
            kind = .errors(PointwiseEstimator(range: try settings.range()), source: settings.take("source"))
        case "mc":
            kind = .trace(
                MeanKappaEstimator(
                    kappa: try settings.choice("kappa") ?? .paper, cutoff: try settings.count("above") ?? 50),
                draws: try settings.count("draws"), timesteps: try settings.count("timesteps"))
        default:
            throw UsageError(
                "\(text): only contrast, contrast_hard, pointwise and mc take settings; '\(parts[0])' is a column or nothing"
            )
        }
        try settings.requireEmpty()
    }

    /// The estimator of `contrast` with settings, of measurements against any near misses; nil for anything else.
    var contrast: ContrastEstimator? {
        guard case .errors(let estimator, source: nil) = kind else { return nil }
        return estimator as? ContrastEstimator
    }

    /// The values of some samples, by their ids; a sample without one is left out.
    ///
    /// - Throws: ``Failure`` for a name that is neither a column of numbers nor a scorer.
    package func values(of rows: [CatalogueRow], in corpus: Corpus) throws -> [Digest: Double] {
        if case .column(let name) = kind { return try Self.column(name, rows, corpus) }
        return values(of: rows, among: try corpus.scores(of: rows.map(\.id)))
    }

    /// The same of a form with settings, from measurements that were read before; none of a column.
    func values(of rows: [CatalogueRow], among sets: [ScoreSet]) -> [Digest: Double] {
        switch kind {
        case .column: return [:]
        case .errors(let estimator, let source):
            return measured(rows, sets) { set, record, schedule in
                guard let curves = record.curves, set.settled == nil || curves.errors.allSatisfy(\.isFinite),
                    set.negatives?.isFrom(source) ?? false
                else { return nil }
                let errors = DenoisingErrors(curves, timesteps: record.timesteps, draws: record.draws.count)
                return estimator.estimate(errors, schedule: schedule).value
            }
        case .trace(let estimator, let draws, let timesteps):
            return measured(rows, sets) { set, record, schedule in
                guard set.timesteps == nil, set.settled == nil else { return nil }
                let places = ErrorRange.spread(
                    record.timesteps.indices.filter { Int(record.timesteps[$0]) > estimator.cutoff }, timesteps)
                let values = record.draws.prefix(draws ?? record.draws.count).map { draw in
                    estimator.estimate(
                        MITrace(
                            timesteps: places.map { Int(record.timesteps[$0]) },
                            deltaSquared: places.map { draw[$0] }), schedule: schedule
                    ).value
                }
                return values.reduce(0, +) / Double(values.count)
            }
        }
    }

    /// The same, of all samples.
    ///
    /// - Throws: ``Failure`` also where a sample has no value, and where one is not finite.
    package func requiredValues(of rows: [CatalogueRow], in corpus: Corpus) throws -> [Digest: Double] {
        let values = try values(of: rows, in: corpus)
        if let problem = lack(of: values, in: rows) { throw problem }
        return values
    }

    /// What is said of rows without a value, and how to get one; nil where all have one.
    func lack(of values: [Digest: Double], in rows: [CatalogueRow]) -> Failure? {
        let missing = rows.filter { values[$0.id] == nil }
        return missing.first.map { first in
            Failure(
                "\(text): \(missing.count) of \(rows.count) images have no value that is a number, such as sample \(first.id); "
                    + Self.advice(text))
        }
    }

    /// The scores that all of some samples have: measures of MI, then annotations.
    static func complete(
        for rows: [CatalogueRow], in corpus: Corpus
    ) throws -> [(name: String, values: [Digest: Double])] {
        try (usual + corpus.scorers()).compactMap { name in
            let values = try ScoreForm(name).values(of: rows, in: corpus)
            return values.count == rows.count ? (name, values) : nil
        }
    }

    /// Columns that compare with a referee unasked.
    static let usual = ["mi", "mc", "contrast", "contrast_hard", "pointwise"]

    private static func advice(_ text: String) -> String {
        switch text.split(separator: ":")[0] {
        case "contrast", "contrast_hard", "pointwise", "near_misses": "measure it with attune score --negatives"
        case "mc", "mc_reference": "measure it with attune score"
        case "mi", "mi_reference": "generate with guidance above 1, or measure it with attune score"
        default: "annotate them, or leave such images out"
        }
    }

    private static func column(_ name: String, _ rows: [CatalogueRow], _ corpus: Corpus) throws -> [Digest: Double] {
        if let column = CatalogueRow.scores[name] {
            return Dictionary(rows.compactMap { row in row[keyPath: column].map { (row.id, $0) } }) { first, _ in first
            }.filter(\.value.isFinite)
        }
        let scorers = try corpus.scorers()
        guard scorers.contains(name) else {
            let known = CatalogueRow.scores.keys.sorted() + scorers
            throw Failure("\(name): is not a score of this corpus; there are \(known.joined(separator: ", "))")
        }
        let found = try corpus.annotations(of: rows.map(\.id))
        // A corpus may have been filled by other programs, with scores that are not numbers.
        return found.compactMapValues { $0[name] }.filter(\.value.isFinite)
    }

    /// By draws, near misses, then timesteps.
    static func size(_ scorer: Scorer) -> (Int, Int, Int) {
        (scorer.draws, scorer.negatives?.count ?? 0, scorer.steps)
    }

    /// From the measurement that gives a value to most images of a prompt, so that these are measured in the same way; of
    /// several from the one with most draws, near misses and timesteps.
    private func measured(
        _ rows: [CatalogueRow], _ sets: [ScoreSet], _ estimate: (Scorer, ScoreRecord, NoiseSchedule) -> Double?
    ) -> [Digest: Double] {
        let prompts = Dictionary(rows.map { ($0.id, ExactText($0.prompt)) }) { first, _ in first }
        let sizes = Dictionary(sets.map { ($0.scorer.digest, Self.size($0.scorer)) }) { first, _ in first }
        var found: [ExactText: [Digest: [Digest: Double]]] = [:]
        for set in sets {
            let schedule = NoiseSchedule(SchedulerConfiguration(set.scorer.schedule))
            for record in set.records {
                guard let prompt = prompts[record.sample], let value = estimate(set.scorer, record, schedule),
                    value.isFinite
                else { continue }
                found[prompt, default: [:]][set.scorer.digest, default: [:]][record.sample] = value
            }
        }
        var values: [Digest: Double] = [:]
        for measurements in found.values {
            let ordered = measurements.sorted { a, b in
                if a.value.count != b.value.count { return a.value.count > b.value.count }
                let (one, other) = (sizes[a.key] ?? (0, 0, 0), sizes[b.key] ?? (0, 0, 0))
                return one != other ? one > other : a.key < b.key
            }
            for (_, measured) in ordered { values.merge(measured) { first, _ in first } }
        }
        return values
    }
}

extension NegativeSource {
    /// - Parameter name: `rules`, `corpus` or `file`; nil for any.
    fileprivate func isFrom(_ name: String?) -> Bool {
        guard let name else { return true }
        return name == "file" ? source.hasPrefix("sha256:") : source == name
    }
}

/// What stands behind the colon of a score: `key=value`, separated by commas.
private struct Settings {
    private let text: String
    private var values: [String: String] = [:]
    private var broken: String?

    init(_ text: String, _ list: String) {
        self.text = text
        for part in list.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count == 2 { values[pair[0]] = pair[1] } else { broken = String(part) }
        }
    }

    mutating func take(_ key: String) -> String? { values.removeValue(forKey: key) }

    mutating func number(_ key: String) throws(UsageError) -> Double? {
        guard let value = take(key) else { return nil }
        guard let number = Double(value), number.isFinite else {
            throw UsageError("\(text): \(key)=\(value) is not a number")
        }
        return number
    }

    mutating func count(_ key: String) throws(UsageError) -> Int? {
        guard let value = take(key) else { return nil }
        guard let number = Int(value), number >= 0 else { throw UsageError("\(text): \(key)=\(value) is not a count") }
        return number
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String
    ) throws(UsageError) -> Choice? {
        guard let value = take(key) else { return nil }
        guard let choice = Choice(rawValue: value) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("\(text): \(key)=\(value) is none of \(known)")
        }
        return choice
    }

    mutating func range() throws(UsageError) -> ErrorRange {
        let usual = ErrorRange()
        return ErrorRange(
            above: try count("above") ?? usual.above, highest: try count("highest") ?? usual.highest,
            weight: try choice("weight") ?? usual.weight, draws: try count("draws"), negatives: try count("negatives"),
            timesteps: try count("timesteps"))
    }

    func requireEmpty() throws(UsageError) {
        if let broken { throw UsageError("\(text): '\(broken)' is not of the form key=value") }
        guard let key = values.keys.sorted().first else { return }
        throw UsageError(
            "\(text): there is no setting '\(key)'; contrast has tau, error, pooling, above, highest, weight, draws, negatives, timesteps and "
                + "source, mc has kappa, above, draws and timesteps")
    }
}
