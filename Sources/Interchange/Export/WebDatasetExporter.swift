import CorpusStore
package import Foundation

/// WebDataset tars, `shard-000000.tar` and so on: each sample is `<id>.png`, `<id>.txt` (the prompt) and `<id>.json` (what
/// else is known), one after the other.
package struct WebDatasetExporter: Exporter {
    /// What one tar holds at most.
    private let samples, bytes: Int
    /// Samples that are read together.
    private static let group = 64

    package init(samplesPerFile samples: Int = 10_000, bytesPerFile bytes: Int = 1_000_000_000) {
        (self.samples, self.bytes) = (samples, bytes)
    }

    package var identity: String { "webdataset of \(samples) samples or \(bytes) bytes" }

    package func writePart(
        _ part: Int, from start: Int, of source: any ExportSource, into folder: URL, report: (Int) -> Void
    ) throws -> Int {
        let tar = try TarWriter(folder.appendingPathComponent("shard-\(padded(part)).tar"))
        let end = min(start + samples, source.count)
        var next = start
        filling: while next < end {
            let range = next..<min(next + Self.group, end)
            for (sample, png) in zip(try source.facts(range), try source.images(range)) {
                if next > start, tar.size + png.count > bytes { break filling }
                try tar.add(sample.fileName + ".png", png)
                try tar.add(sample.fileName + ".txt", Array(sample.prompt.utf8))
                try tar.add(sample.fileName + ".json", Array(json(sample, scorers: source.scorers).text.utf8))
                next += 1
            }
            report(next)
        }
        try tar.finish()
        return next
    }

    private func json(_ sample: SampleFacts, scorers: [String]) -> CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "id": .string(sample.id.hex), "text": .string(sample.prompt), "mi": SampleFacts.json(sample.mi),
            "seed": .string(sample.seed), "model": .string(sample.model), "width": .integer(sample.width),
            "height": .integer(sample.height), "tag": sample.tag.map { .string($0) } ?? .null,
        ]
        let own = Set(members.keys)
        for name in scorers {
            members[scorerColumn(name, apartFrom: own)] = SampleFacts.json(sample.annotations[name])
        }
        return .object(members)
    }
}

/// A part's number in file names, six digits wide.
func padded(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(6 - text.count, 0)) + text
}
