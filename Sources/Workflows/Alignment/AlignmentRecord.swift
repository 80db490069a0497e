package import CorpusStore
import DiskAccess
package import Foundation

/// What the rounds of an alignment have made: `alignments/<name>.json` of its corpus. Rewritten after each stage.
package struct AlignmentRecord: Codable, Sendable {
    package struct Round: Codable, Sendable, Equatable {
        package let round: Int
        /// Digest of the adapter that the candidates were made with; nil for the model alone.
        package let startedFrom: String?
        package var candidates = 0
        /// The name of tag, selection, run and evaluation.
        package let name: String
        /// Digests of what there is so far.
        package var selection: String?
        package var selected: Int?
        package var adapter: String?
        package var evaluation: String?
        /// The means of the referee, or else of the first score.
        package var results: [Result] = []

        package var isFinished: Bool { evaluation != nil }
    }

    /// A mean over the evaluation's prompts, with its interval.
    package struct Result: Codable, Sendable, Equatable {
        /// `base`, or the round's name.
        package let model: String
        package let guidance: Double
        package let score: String
        package let mean, low, high: Double
    }

    package var format = "attune-alignment"
    package var version = 1
    package let name: String
    /// Digest of ``settings``.
    package let configuration: String
    /// What the rounds were made with, by the key of the configuration; files by their digests.
    package let settings: [String: String]
    package var rounds: [Round] = []

    init(_ configuration: AlignmentConfiguration) {
        (name, self.configuration) = (configuration.name, configuration.digest)
        settings = configuration.fields
    }

    package static func file(_ name: String, in corpus: Corpus) -> URL {
        corpus.folder.appending(path: "alignments").appending(path: "\(name).json")
    }

    /// The record of an alignment, empty where there is none.
    ///
    /// - Throws: ``Failure`` where the configuration is not that of the rounds that are made, or the file is not a record.
    static func open(_ configuration: AlignmentConfiguration, in corpus: Corpus) throws -> AlignmentRecord {
        let file = file(configuration.name, in: corpus)
        let new = AlignmentRecord(configuration)
        guard let data = try Disk.readIfPresent(file.path) else { return new }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let known = try? decoder.decode(AlignmentRecord.self, from: data), known.format == new.format else {
            throw Failure(
                "\(file.path): is not a record that this attune understands: remove it, or choose another name")
        }
        guard known.version == new.version else {
            throw Failure("\(file.path): is a record of version \(known.version): update attune")
        }
        let keys = Set(known.settings.keys).union(new.settings.keys).sorted()
        if let key = keys.first(where: { known.settings[$0] != new.settings[$0] }) {
            let (there, here) = (known.settings[key] ?? "the default", new.settings[key] ?? "the default")
            throw Failure(
                "\(file.path): its rounds were made with \(key) \(there), and it is \(here) now: choose another name, or undo the "
                    + "change")
        }
        return known
    }

    /// Keeps it, in one step.
    func store(in corpus: Corpus) throws {
        let file = Self.file(name, in: corpus)
        try Disk.makeFolder(file.deletingLastPathComponent().path)
        try corpus.files.write(Data((try jsonText(self) + "\n").utf8), to: file)
    }
}
