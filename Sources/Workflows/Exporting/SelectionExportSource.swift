package import CorpusStore
package import Interchange

/// A selection of a corpus, as exporters read it.
package struct SelectionExportSource: ExportSource {
    package let identity: String
    package let scorers: [String]
    private let rows: [CatalogueRow]
    private let annotations: [Digest: [String: Double]]
    private let reader: SampleReader
    private let corpus: Corpus

    package var count: Int { rows.count }

    /// - Parameter name: of a selection.
    package init(_ name: String, in corpus: Corpus) throws {
        let selection = try corpus.selection(named: name)
        (self.corpus, reader) = (corpus, SampleReader(corpus))
        let known = try SampleAnnotations(corpus)
        scorers = known.scorers
        let revisions = try corpus.annotationSummaries().map { "\($0.scorer) \($0.revision)" }
        let vectors = try corpus.vectorSummaries().filter(\.isImported).map { "\($0.name) \($0.revision)" }
        identity = ([selection.digest.hex] + revisions + vectors).joined(separator: ", ")
        // All rows at once: one look at the catalogue, and a missing sample is known before anything is written.
        rows = try reader.rows(selection.ids)
        annotations = try known.values(rows)
    }

    package func facts(_ range: Range<Int>) -> [SampleFacts] {
        rows[range].map { row in
            SampleFacts(
                id: row.id, prompt: row.prompt, mi: row.mi, seed: row.seed, model: row.model, width: row.width,
                height: row.height, tag: row.tag, latentShape: row.latentShape,
                annotations: annotations[row.id] ?? [:])
        }
    }

    package func images(_ range: Range<Int>) throws -> [[UInt8]] { try reader.images(Array(rows[range])) }

    package func forEachLatent(_ range: Range<Int>, _ body: ([Float]) -> Void) throws {
        try reader.forEachBatch(Array(rows[range]), of: 64) { _, latents in latents.forEach(body) }
    }

    package func records(_ range: Range<Int>) throws -> [SampleRecord] { try reader.records(Array(rows[range])) }

    package func forEachVectors(_ body: (VectorSet, Int, String) throws -> Void) throws {
        for summary in try corpus.vectorSummaries() where summary.isImported {
            let set = try corpus.vectors(named: summary.name).picking(rows.map(\.id))
            if let set { try body(set, summary.revision, summary.source) }
        }
    }
}
