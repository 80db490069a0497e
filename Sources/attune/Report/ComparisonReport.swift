import Foundation

/// Two folders of `attune sample` side by side: the same prompts and seeds, two rows a prompt.
enum ComparisonReport {
    static func sheet(
        _ base: SampleFolder, _ tuned: SampleFolder, prompts: Int, columns: Int
    ) throws -> ContactSheet {
        let first = try base.records()
        guard try first == tuned.records() else {
            throw Failure(
                "\(tuned.url.path): has other prompts or seeds than \(base.url.path); sample both with the same options")
        }
        var order: [String] = []
        for record in first where !order.contains(record.text) { order.append(record.text) }
        let byPrompt = Dictionary(grouping: first, by: \.text)
        let rows = try order.prefix(prompts).flatMap { prompt in
            let records = (byPrompt[prompt] ?? []).prefix(columns)
            return try [(base, "base: "), (tuned, "tuned: ")].map { folder, label in
                ContactSheet.Row(
                    label: label + prompt,
                    cells: try records.map { record in
                        let file = folder.url.appendingPathComponent(record.fileName)
                        guard let data = try? Data(contentsOf: file) else {
                            throw Failure("\(file.path): cannot be read; make it again with attune sample")
                        }
                        return ContactSheet.Cell(
                            picture: try Picture(png: data, named: file.path), caption: "seed \(record.seed)")
                    })
            }
        }
        return ContactSheet(
            title: "\(base.url.lastPathComponent) against \(tuned.url.lastPathComponent), same seeds", rows: rows)
    }
}
