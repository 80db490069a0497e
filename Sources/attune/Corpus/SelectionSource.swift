import Corpus
import Foundation
import Interchange

/// A selection of a corpus, as exporters read it.
struct SelectionSource: ExportSource {
    let ids: [String]
    private let reader: SampleReader

    init(_ name: String, in corpus: Corpus) throws {
        ids = try corpus.selection(named: name).ids.map(\.hex)
        reader = SampleReader(corpus)
        // All rows at once: one look at the catalogue, and a missing sample is known before anything is written.
        _ = try reader.rows(ids)
    }

    func sample(_ id: String) throws -> ExportSample {
        let row = try reader.rows([id])[0]
        return ExportSample(id: id, prompt: row.prompt, mi: row.mi, png: Data(try reader.image(row)))
    }

    func record(_ id: String) throws -> SampleRecord { try reader.record(reader.rows([id])[0]) }
}
