package import CorpusStore
import DiskAccess
package import Foundation
package import Statistics

/// What an evaluation found: a document `evaluations/<name>.json` of its corpus (schemas/evaluation.schema.json).
package struct EvaluationReport: Codable, Sendable {
    package struct Settings: Codable, Sendable, Equatable {
        package var model: String
        package var adapters: [Adapter]
        package var prompts: [String]
        package var imagesPerPrompt: Int
        package var guidance: [Double]
        package var steps: Int
        package var sampler: String
        package var seed: String
        package var referee: String?
        package var negatives: String?
        package var resamples: Int
        /// What products are computed in where that is not float32.
        package var precision: String?
        /// The condition of the real images that quality is measured by.
        package var reference: String?
        /// `own` where each prompt has seeds of its own (``CandidateSeeds``).
        package var seeds: String?
    }

    package struct Adapter: Codable, Sendable, Equatable {
        package let label: String
        /// Of its file.
        package let digest: String
    }

    /// A score's mean over the prompts of a category.
    package struct Result: Codable, Sendable {
        /// `base`, or the label of an adapter.
        package let model: String
        package let guidance: Double
        /// `all`, or a category of prompts.
        package let category: String
        package let score: String
        package let value: MeanInterval
        package let images: Int
    }

    /// How much larger a score's mean is than another model's, paired by prompt.
    package struct Difference: Codable, Sendable {
        package let model, baseline: String
        /// Each of its own.
        package let guidance, baselineGuidance: Double
        package let category: String
        package let score: String
        package let value: MeanInterval
    }

    /// The guidance at which the referee's mean is largest.
    package struct Best: Codable, Sendable {
        package let model: String
        package let guidance: Double
        package let value: MeanInterval
    }

    package struct PromptResult: Codable, Sendable {
        package let prompt: String
        package let category: String?
        package let model: String
        package let guidance: Double
        /// The mean over its images, by score.
        package let values: [String: Double]
    }

    /// How far a model's images are from real ones.
    package struct Quality: Codable, Sendable {
        package let model: String
        package let guidance: Double
        /// `fd_latents`: the Fréchet distance of latents, averaged over a grid.
        package let metric: String
        package let value: Double
        /// With 95 % confidence over the images that were drawn; nil where there are too few of them.
        package let low, high: Double?
        package let images, referenceImages: Int
    }

    package var format = "attune-evaluation"
    package var version = 1
    package let settings: Settings
    package internal(set) var results: [Result] = []
    package internal(set) var differences: [Difference] = []
    package internal(set) var best: [Best] = []
    package internal(set) var agreement: [Agreement] = []
    package internal(set) var prompts: [PromptResult] = []
    /// Nil where there are no real images to compare with.
    package internal(set) var quality: [Quality]?
    /// What a reader should know, a line each.
    package internal(set) var notes: [String] = []

    init(_ settings: Settings) { self.settings = settings }

    /// The scores that it has, the referee first.
    package var scores: [String] {
        var seen: Set<String> = []
        return results.map(\.score).filter { seen.insert($0).inserted }
    }
}

/// The evaluations that a corpus keeps.
package enum StoredEvaluations {
    private static func folder(_ corpus: Corpus) -> URL { corpus.folder.appending(path: "evaluations") }

    package static func file(_ name: String, in corpus: Corpus) -> URL {
        folder(corpus).appending(path: "\(name).json")
    }

    /// - Throws: ``UsageError`` for a name that is not a name of a file.
    package static func check(name: String) throws(UsageError) {
        let isPlain = name.utf8.allSatisfy {
            ($0 >= 48 && $0 <= 57) || ($0 | 32 >= 97 && $0 | 32 <= 122) || "-_.".utf8.contains($0)
        }
        guard isPlain, !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 100 else {
            throw UsageError("--name '\(name)': letters, digits, '-', '_' and '.' make a name, and no '.' begins it")
        }
    }

    /// Keeps a report in the place of one of the same settings.
    ///
    /// - Throws: ``Failure`` where the name stands for an evaluation with other settings.
    static func store(_ report: EvaluationReport, as name: String, in corpus: Corpus) throws {
        if let known = try Self.report(named: name, in: corpus) {
            try requireSame(report.settings, as: known, called: name, in: corpus)
        }
        try Disk.makeFolder(folder(corpus).path)
        try corpus.files.write(Data((try jsonText(report) + "\n").utf8), to: file(name, in: corpus))
    }

    /// - Throws: ``Failure`` where a known report has other settings.
    static func requireSame(
        _ settings: EvaluationReport.Settings, as known: EvaluationReport, called name: String, in corpus: Corpus
    ) throws(Failure) {
        guard known.settings != settings else { return }
        throw Failure(
            "\(file(name, in: corpus).path): holds an evaluation with other settings; choose another --name, or remove it"
        )
    }

    /// - Returns: nil for a name that stands for nothing.
    package static func report(named name: String, in corpus: Corpus) throws -> EvaluationReport? {
        let file = file(name, in: corpus)
        guard let data = try Disk.readIfPresent(file.path) else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let report = try? decoder.decode(EvaluationReport.self, from: data), report.format == "attune-evaluation"
        else {
            throw Failure(
                "\(file.path): is not an evaluation that this attune understands: remove it, and evaluate again")
        }
        guard report.version == 1 else {
            throw Failure("\(file.path): is an evaluation of version \(report.version): update attune")
        }
        return report
    }
}
