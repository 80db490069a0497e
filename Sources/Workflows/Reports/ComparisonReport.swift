import CorpusStore
import DiskAccess
import Foundation
import Markup

/// Two folders of `attune sample` side by side: the same prompts and seeds, one row per prompt.
enum ComparisonReport {
    static func section(
        _ base: SampleFolder, _ tuned: SampleFolder, prompts: Int, columns: Int
    ) throws -> ReportDocument.Section {
        let first = try base.records()
        guard try first == tuned.records() else {
            throw Failure(
                "\(tuned.url.path): has other prompts or seeds than \(base.url.path); sample both with the same options"
            )
        }
        var order: [ExactText] = []
        for record in first where !order.contains(ExactText(record.text)) { order.append(ExactText(record.text)) }
        let byPrompt = Dictionary(grouping: first) { ExactText($0.text) }
        let (left, right) = (base.url.lastPathComponent, tuned.url.lastPathComponent)
        var content: [Markup] = [
            .tag("p", ["class": "quiet"], "\(left) on the left, \(right) on the right; the same prompts and seeds.")
        ]
        for prompt in order.prefix(prompts) {
            let records = (byPrompt[prompt] ?? []).prefix(max(1, columns / 2))
            content.append(.tag("h3", [:], "\(prompt.text)"))
            content.append(
                .tag(
                    "div", ["class": "sides"],
                    try [base, tuned].map { folder in
                        .tag("div", ["class": "images"], try records.map { try figure($0, in: folder) })
                    }))
        }
        return ReportDocument.Section("\(left) against \(right)", content)
    }

    private static func figure(_ record: SampleFolder.Record, in folder: SampleFolder) throws -> Markup {
        let file = folder.url.appendingPathComponent(record.fileName)
        guard let data = try Disk.readIfPresent(file.path) else {
            throw Failure("\(file.path): is missing; make it again with attune sample")
        }
        let side = folder.url.lastPathComponent
        return ReportImages.figure(
            try ReportImages.markup(Array(data), named: file.path, alt: "\(side): \(record.text), seed \(record.seed)"),
            caption: "\(side), seed \(record.seed)")
    }
}
