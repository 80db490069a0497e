package import CorpusStore
package import Foundation

/// What exporters tell of a sample beside its image.
package struct SampleFacts: Sendable, Equatable {
    package var id: Digest
    package var prompt: String
    /// The default estimate of mutual information; nil where a sample has none.
    package var mi: Double?
    package var seed: String
    package var model: String
    package var width, height: Int
    package var tag: String?
    /// Channels, height, width; empty for a sample without a latent.
    package var latentShape: [Int]
    /// Scores from elsewhere, by the names of their scorers.
    package var annotations: [String: Double]

    package init(
        id: Digest, prompt: String, mi: Double? = nil, seed: String = "0", model: String = "", width: Int = 0,
        height: Int = 0, tag: String? = nil, latentShape: [Int] = [], annotations: [String: Double] = [:]
    ) {
        (self.id, self.prompt, self.mi, self.seed, self.model) = (id, prompt, mi, seed, model)
        (self.width, self.height, self.tag) = (width, height, tag)
        (self.latentShape, self.annotations) = (latentShape, annotations)
    }

    /// What a file of this sample is called, without its extension.
    var fileName: String { id.hex }

    /// The number as JSON has it; null where there is none.
    static func json(_ number: Double?) -> CanonicalJSON {
        number.flatMap { $0.isFinite ? .number($0) : nil } ?? .null
    }
}

/// Where exporters read from: an ordered list of samples, of which they ask for some at a time, so that a selection
/// need not fit in memory.
package protocol ExportSource: Sendable {
    /// Names the samples and their order: an interrupted export resumes only with the same.
    var identity: String { get }
    var count: Int { get }
    /// The names of all scorers, sorted: columns that every sample has, with or without a value.
    var scorers: [String] { get }
    func facts(_ range: Range<Int>) throws -> [SampleFacts]
    /// The stored PNG files, byte for byte.
    func images(_ range: Range<Int>) throws -> [[UInt8]]
    /// Calls `body` with each sample's latent, channels first, in order.
    func forEachLatent(_ range: Range<Int>, _ body: ([Float]) -> Void) throws
    /// Samples with latent, trace and provenance.
    func records(_ range: Range<Int>) throws -> [SampleRecord]
    /// Calls `body` with the vectors of the samples that came from elsewhere, one name after the other.
    func forEachVectors(_ body: (_ set: VectorSet, _ revision: Int, _ source: String) throws -> Void) throws
}

extension ExportSource {
    package func forEachVectors(_ body: (VectorSet, Int, String) throws -> Void) throws {}
}

/// A format that a selection can be written in.
///
/// An export is made in parts, one after the other. A part that was written completely is not written again when an
/// interrupted export resumes, so a part's files hold nothing of any other part.
///
/// A new format is one type that conforms to this and one case of the command line's `ExportFormat`.
package protocol Exporter {
    /// The format and every setting that changes what is written: an interrupted export resumes only with the same.
    var identity: String { get }

    /// Writes the part that begins with sample `start`.
    ///
    /// - Parameters:
    ///   - part: the part's number, from 0.
    ///   - start: the index of its first sample.
    ///   - source: the samples.
    ///   - folder: where its files go.
    ///   - report: told how many samples are written.
    /// - Returns: where the next part begins; beyond `start`.
    func writePart(
        _ part: Int, from start: Int, of source: any ExportSource, into folder: URL, report: (Int) -> Void
    ) throws -> Int

    /// Writes what comes after the last part, such as an index.
    func finish(_ source: any ExportSource, in folder: URL) throws
}

extension Exporter {
    package func finish(_ source: any ExportSource, in folder: URL) throws {}
}

/// What a scorer's values are called beside columns of the format's own, which they must not overwrite.
func scorerColumn(_ scorer: String, apartFrom own: Set<String>) -> String {
    own.contains(scorer) ? "score_" + scorer : scorer
}
