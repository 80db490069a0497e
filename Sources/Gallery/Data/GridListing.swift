import CorpusStore
import Foundation
import Workflows

/// The samples that a grid shows, in order, with the rows that they make.
package struct GridListing: Sendable {
    /// Of the catalogue that was asked.
    package let version: Int64
    /// Keys of samples in the order in which they are shown.
    package let samples: [Int64]
    /// Where each prompt's samples begin, and where the last one's end; nil where they are not grouped.
    package let starts: [Int]?
    /// Keys of the prompts, as ``starts`` has them.
    package let prompts: [Int64]
    /// What was left out, and why; nil for nothing.
    package let note: String?

    package init(_ query: GridQuery, in data: GalleryData, version: Int64) throws {
        self.version = version
        var notes: [String] = []
        var confined: [Int64]?
        if let words = query.search {
            let found = try Self.search(words, data)
            confined = found.keys
            if found.isCut { notes.append("only the first \(PromptSearch.most) prompts with these words are shown") }
        }
        var question = query.question
        if let prompt = query.prompt {
            let same = "prompt = \(Self.quoted(prompt))"
            question.condition = question.condition.map { "(\($0)\n) AND \(same)" } ?? same
        }
        // What everybody sees first.
        let isWhole = question == CatalogueQuery(by: "mi") && confined == nil && query.view == .prompts
        var found = isWhole ? try data.browser.allByPrompt() : try data.browser.samples(question, prompts: confined)
        if found.isCut {
            notes.append(
                "only the first \(data.browser.limits.samples) samples are shown; narrow the query to see others")
        }
        if let name = query.within {
            let ids = try data.members(of: name).ids
            let keys = Set(try data.browser.keys(of: ids).values)
            let kept = found.samples.indices.filter { keys.contains(found.samples[$0]) }
            found = BrowsedSamples(
                samples: kept.map { found.samples[$0] }, prompts: kept.map { found.prompts[$0] }, isCut: found.isCut)
        }
        if let lasso = query.lasso {
            let map = try data.readyMap(query.map ?? EmbeddingJob.names(data.corpus).first?.name ?? VectorStore.latents)
            let keys = Set(try data.browser.keys(of: map.samples(in: lasso)).values)
            let kept = found.samples.indices.filter { keys.contains(found.samples[$0]) }
            found = BrowsedSamples(
                samples: kept.map { found.samples[$0] }, prompts: kept.map { found.prompts[$0] }, isCut: found.isCut)
        }
        note = notes.isEmpty ? nil : notes.joined(separator: "; ")
        guard query.view == .prompts else {
            (samples, starts, prompts) = (found.samples, nil, [])
            return
        }
        if isWhole {
            // One prompt after the other already.
            let runs = found.runs()
            (samples, starts, prompts) = (found.samples, runs.starts, runs.prompts)
            return
        }
        var (samples, starts, prompts): ([Int64], [Int], [Int64]) = ([], [0], [])
        samples.reserveCapacity(found.samples.count)
        for group in found.byPrompt() {
            samples += group.samples
            starts.append(samples.count)
            prompts.append(group.prompt)
        }
        (self.samples, self.starts, self.prompts) = (samples, starts, prompts)
    }

    /// Rows of prompts, or samples.
    package var count: Int { starts == nil ? samples.count : prompts.count }

    static func search(_ words: String, _ data: GalleryData) throws -> (keys: [Int64], isCut: Bool) {
        guard let search = data.search else {
            throw Refusal(
                status: 503,
                reason:
                    "searching needs a folder for its index: set XDG_CACHE_HOME to one that can be written to, and start "
                    + "the gallery again" + (data.searchProblem.map { " (\($0.description))" } ?? ""))
        }
        switch search.progress {
        case .building(let done, let all) where all > 100_000:
            throw Refusal(
                status: 503, reason: "the prompts are being indexed (\(done * 100 / all) %); search again in a moment")
        case .building: search.refresh()
        case .failed(let reason): throw Refusal(status: 503, reason: "the prompts could not be indexed: \(reason)")
        case .ready: break
        }
        guard let found = try search.prompts(words) else {
            throw Refusal.unusable("search: '\(words.prefix(80))' has no letter or digit to search for")
        }
        return found
    }

    /// As bytes: a text of SQL ends at U+0000.
    static func quoted(_ text: String) -> String {
        "CAST(x'\(text.utf8.map { String(format: "%02x", $0) }.joined())' AS TEXT)"
    }
}
