import Corpus
import Foundation
import Interchange

/// A selection of a corpus, as exporters read it.
struct SelectionSource: ExportSource {
    let identity: String
    let scorers: [String]
    private let rows: [CatalogueRow]
    private let annotations: [String: [String: Double]]
    private let reader: SampleReader

    var count: Int { rows.count }

    init(_ name: String, in corpus: Corpus) throws {
        let selection = try corpus.selection(named: name)
        reader = SampleReader(corpus)
        let known = try SampleAnnotations(corpus)
        scorers = known.scorers
        let revisions = try corpus.annotationSummaries().map { "\($0.scorer) \($0.revision)" }
        identity = ([selection.digest.hex] + revisions).joined(separator: ", ")
        // All rows at once: one look at the catalogue, and a missing sample is known before anything is written.
        rows = try reader.rows(selection.ids.map(\.hex))
        annotations = try known.values(rows)
    }

    func facts(_ range: Range<Int>) -> [SampleFacts] {
        rows[range].map { row in
            SampleFacts(
                id: row.id, prompt: row.prompt, mi: row.mi, seed: row.seed, model: row.model, width: row.width,
                height: row.height, tag: row.tag, latentShape: row.latentShape,
                annotations: annotations[row.id] ?? [:])
        }
    }

    func images(_ range: Range<Int>) throws -> [[UInt8]] { try reader.images(Array(rows[range])) }

    func forEachLatent(_ range: Range<Int>, _ body: ([Float]) -> Void) throws {
        try reader.forEachBatch(Array(rows[range]), of: 64) { _, latents in latents.forEach(body) }
    }

    func records(_ range: Range<Int>) throws -> [SampleRecord] { try reader.records(Array(rows[range])) }
}
