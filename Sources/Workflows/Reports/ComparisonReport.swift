import Corpus
import Foundation

/// Two folders of `attune sample` side by side: the same prompts and seeds, one row per prompt, one half each.
enum ComparisonReport {
    static func sheet(
        _ base: SampleFolder, _ tuned: SampleFolder, prompts: Int, columns: Int
    ) throws -> ContactSheet {
        let first = try base.records()
        guard try first == tuned.records() else {
            throw Failure(
                "\(tuned.url.path): has other prompts or seeds than \(base.url.path); sample both with the same options"
            )
        }
        var order: [ExactText] = []
        for record in first where !order.contains(ExactText(record.text)) { order.append(ExactText(record.text)) }
        let byPrompt = Dictionary(grouping: first) { ExactText($0.text) }
        let rows = try order.prefix(prompts).map { prompt in
            let records = (byPrompt[prompt] ?? []).prefix(max(1, columns / 2))
            let cells = try [base, tuned].flatMap { folder in try records.map { try cell($0, in: folder) } }
            return ContactSheet.Row(label: prompt.text, cells: cells)
        }
        let (left, right) = (base.url.lastPathComponent, tuned.url.lastPathComponent)
        return ContactSheet(title: "\(left) (left half) against \(right), same seeds", rows: rows)
    }

    private static func cell(_ record: SampleFolder.Record, in folder: SampleFolder) throws -> ContactSheet.Cell {
        let file = folder.url.appendingPathComponent(record.fileName)
        guard let data = try? Data(contentsOf: file) else {
            throw Failure("\(file.path): cannot be read; make it again with attune sample")
        }
        return ContactSheet.Cell(
            picture: try Picture(png: data, named: file.path),
            caption: "\(folder.url.lastPathComponent) \(record.seed)")
    }
}
