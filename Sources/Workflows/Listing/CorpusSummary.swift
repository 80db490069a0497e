package import CorpusStore
import DiskAccess
import Foundation
import Tuning

/// What `info` says of a corpus.
package struct CorpusSummary: Encodable {
    package struct Run: Encodable {
        package let name: String
        package let steps: Int
        package let loss: Double?
        package let isFinished: Bool
    }

    package let folder: String
    package let formatVersion = Corpus.version
    package let samples: Int
    package let prompts: Int
    package let shards: Int
    package let bytes: Int
    /// Samples that `score` has measured.
    package let scored: Int
    /// Digests of the models that made the samples.
    package let models: [String]
    package let tags: [String]
    /// Lowest, median and highest MI; nil where no sample has one.
    package let mi: [Double]?
    package let selections: [String]
    package let runs: [Run]

    package init(_ corpus: Corpus) throws {
        let summary = try corpus.summary()
        folder = corpus.folder.path
        (samples, prompts, shards) = (summary.samples, summary.prompts, summary.shards)
        (scored, models, tags, mi) = (summary.scored, summary.models, summary.tags, summary.mi)
        bytes = try Self.bytes(of: corpus.folder.appendingPathComponent("shards").path)
        selections = try corpus.selectionNames()
        runs = try Self.runs(corpus.folder)
    }

    package var text: String {
        var lines = [
            "corpus      \(folder) (format \(formatVersion))",
            "samples     \(samples) of \(prompts) prompts, in \(shards) shards, "
                + "\(formatted(Double(bytes) / 1e6, digits: 1)) MB",
        ]
        if scored > 0 { lines.append("scored      \(scored) by Monte-Carlo traces") }
        for model in models { lines.append("model       \(model)") }
        if !tags.isEmpty { lines.append("tags        \(tags.joined(separator: ", "))") }
        if let mi {
            let figures = mi.map { formatted($0, digits: 2) }
            lines.append("mi          lowest \(figures[0]), median \(figures[1]), highest \(figures[2])")
        }
        if !selections.isEmpty { lines.append("selections  \(selections.joined(separator: ", "))") }
        for run in runs {
            let loss = run.loss.map { ", loss \(formatted($0, digits: 4))" } ?? ""
            lines.append("run         \(run.name): \(run.steps) steps\(loss)\(run.isFinished ? ", finished" : "")")
        }
        return lines.joined(separator: "\n")
    }

    /// Of the files in a folder and those below it. What goes meanwhile, as by `pack`, does not count.
    private static func bytes(of folder: String) throws(DiskError) -> Int {
        var sum = 0
        for name in try Disk.listIfPresent(folder) ?? [] {
            let place = folder + "/" + name
            guard let status = try Disk.status(place) else { continue }
            sum += try status.st_mode & S_IFMT == S_IFDIR ? bytes(of: place) : Int(status.st_size)
        }
        return sum
    }

    private static func runs(_ corpus: URL) throws -> [Run] {
        try RunFolder.names(in: corpus).map { name in
            var (step, loss, isFinished) = (0, Double?.none, false)
            for entry in try RunLog.read(RunFolder(corpus: corpus, name: name).log) {
                switch entry {
                case .step(let entry): (step, loss) = (entry.step, entry.loss)
                case .finished: isFinished = true
                default: break
                }
            }
            return Run(name: name, steps: step, loss: loss, isFinished: isFinished)
        }
    }
}
