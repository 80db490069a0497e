import Codecs
import CorpusStore
import Shapes

/// What says whether an image shows what its prompt asks for.
package enum Referee: Sendable, Equatable {
    /// The judge of the shapes benchmark (`ShapesJudge`): 1 for aligned, 0 for not.
    case shapes
    /// A column of the catalogue, or a scorer of annotations.
    case column(String)

    /// `shapes`, or the name of a column.
    package init(_ name: String) { self = name == "shapes" ? .shapes : .column(name) }

    package var name: String {
        switch self {
        case .shapes: "shapes"
        case .column(let name): name
        }
    }

    /// Before anything is made of prompts that it cannot judge.
    ///
    /// - Parameter file: where the prompts come from.
    /// - Throws: ``Failure`` naming the first that is not of the shapes grammar, for the judge of that.
    func requireKnown(_ prompts: [String], from file: String) throws(Failure) {
        guard self == .shapes, let unknown = prompts.first(where: { ShapesPrompt($0) == nil }) else { return }
        throw Self.unknown(unknown, at: file)
    }

    private static func unknown(_ prompt: String, at place: String) -> Failure {
        Failure(
            "\(place): '\(joinedLines(prompt))' is not a prompt of the shapes benchmark, which the referee shapes judges; leave such "
                + "prompts out, or name an annotation as the referee")
    }

    /// What the referee says of some samples, by their ids.
    ///
    /// Verdicts of the shapes judge become annotations called `shapes`, sealed as all are; what has one is not judged again.
    ///
    /// - Throws: ``Failure`` naming a sample that it says nothing of.
    func values(of rows: [CatalogueRow], in corpus: Corpus, monitor: some WorkMonitor) throws -> [Digest: Double] {
        switch self {
        case .column(let name): return try ScoreForm(name).requiredValues(of: rows, in: corpus)
        case .shapes: return try judged(rows, in: corpus, monitor: monitor)
        }
    }

    /// Images that are judged between two looks at whether to stop, and annotated together.
    private static let batch = 512

    private func judged(
        _ rows: [CatalogueRow], in corpus: Corpus, monitor: some WorkMonitor
    ) throws -> [Digest: Double] {
        var values = try corpus.annotations(of: rows.map(\.id)).compactMapValues { $0[name] }
        let missing = rows.filter { values[$0.id] == nil }
        let reader = SampleReader(corpus)
        for start in stride(from: 0, to: missing.count, by: Self.batch) {
            if monitor.isCancelled { throw Interrupted() }
            let part = Array(missing[start..<min(start + Self.batch, missing.count)])
            var made: [AnnotationValue] = []
            for (row, png) in zip(part, try reader.images(part)) {
                guard let prompt = ShapesPrompt(row.prompt) else {
                    throw Self.unknown(row.prompt, at: "sample \(row.id)")
                }
                let verdict = try ShapesFolder.verdict(png, prompt, place: "sample \(row.id)")
                made.append(AnnotationValue(sample: row.id, value: verdict.aligned ? 1 : 0))
            }
            try corpus.annotate(made, by: name, from: "attune evaluate")
            for value in made { values[value.sample] = value.value }
        }
        return values
    }
}

/// The work was stopped between batches; the same call makes the rest.
package struct Interrupted: Error {}
