import CorpusStore
import Foundation

/// All that is known of one sample.
struct SampleDetail: Sendable {
    struct Score: Sendable {
        let name: String
        let value: Double
        /// Among the candidates of the prompt, from 1.
        let place: Int?
    }

    struct Trace: Sendable {
        let id: Digest
        let points: [(timestep: Int, value: Double)]
    }

    let row: CatalogueRow
    let annotations: [String: Double]
    let scores: [Score]
    /// Of the same prompt, the highest MI first, this sample among them.
    let candidates: [BrowsedSample]
    /// Of the prompt; more than ``candidates`` where there are many.
    let candidateCount: Int
    let traces: [Trace]
    /// What is wrong with the traces; nil for nothing.
    let traceProblem: String?
    /// The recipe's settings, in words.
    let settings: [(name: String, value: String)]
    /// The names of selections that have the sample.
    let selections: [String]

    /// Candidates that are shown and whose traces are drawn.
    static let shown = 48

    init(_ row: CatalogueRow, in data: GalleryData) throws {
        guard let key = try data.browser.keys(of: [row.id])[row.id] else {
            throw Refusal.missing("the corpus has no sample \(row.id)")
        }
        self.row = row
        let all = try data.browser.candidates(like: key, by: "mi").samples
        candidateCount = all.count
        var shown = Array(all.prefix(Self.shown))
        if !shown.contains(key) { shown[shown.count - 1] = key }
        candidates = try data.browser.rows(shown, by: "mi")
        annotations = candidates.first { $0.key == key }?.annotations ?? [:]
        let names = try data.browser.scores().filter { $0 != "guidance" && !$0.hasPrefix(Mark.tagPrefix) }
        let values = try data.browser.values(of: names, sample: key)
        scores = names.compactMap { name in
            values[name].map {
                Score(name: name, value: $0, place: name == "mi" ? all.firstIndex(of: key).map { $0 + 1 } : nil)
            }
        }
        var traces: [Trace] = []
        var problem: String?
        for candidate in candidates {
            do throws(CorpusError) {
                let trace = try data.reader.trace(candidate.row)
                let points = zip(trace.timesteps, trace.deltaSquared).map { (Int($0), Double($1)) }
                if !points.isEmpty { traces.append(Trace(id: candidate.row.id, points: points)) }
            } catch { problem = error.description }
        }
        (self.traces, traceProblem) = (traces, problem)
        settings = try Self.settings(row, data)
        selections = try data.corpus.selectionNames().filter { name in
            // One that cannot be read is named on the page of selections.
            (try? data.members(of: name).set.contains(row.id)) ?? false
        }
    }

    private static func settings(_ row: CatalogueRow, _ data: GalleryData) throws -> [(name: String, value: String)] {
        var settings: [(name: String, value: String)] = [
            ("model", row.model), ("adapter", row.adapter ?? "none"), ("sampler", row.sampler),
            ("steps", String(row.steps)), ("guidance", String(row.guidance)), ("seed", row.seed),
            ("size", "\(row.width) × \(row.height) pixels"), ("tag", row.tag ?? "none"),
        ]
        do throws(CorpusError) {
            let record = try data.reader.record(row)
            let extras = record.recipe.extras
            if let text = extras.negativePrompt { settings.append(("negative prompt", text)) }
            if extras.clipSkip > 0 { settings.append(("clip skip", String(extras.clipSkip))) }
            if let source = record.recipe.source {
                settings.append(("imported from", source.path))
                if let url = source.url { settings.append(("source address", url)) }
                settings.append(("fitted by", source.fit))
            }
            settings.append(("pixels (SHA-256)", record.pixels.hex))
        } catch { settings.append(("record", error.description)) }
        settings += [("recipe", row.recipe.hex), ("shard", row.shard.hex), ("row in the shard", String(row.row))]
        return settings
    }
}
