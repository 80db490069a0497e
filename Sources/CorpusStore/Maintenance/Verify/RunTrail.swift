import DiskAccess
import Foundation

/// What a run's log says that the run needs. The store knows logs as lines of JSON with some members; what a run is, is
/// not its business.
struct RunTrail {
    private struct Line: Decodable {
        var event: String
        var selection: String?
        var checkpoint: String?
        var adapter: String?
    }

    let name: String
    let folder: URL
    /// Selections that its epochs read.
    private(set) var selections: Set<Digest> = []
    /// Every digest that the log mentions.
    private(set) var mentions: Set<Digest> = []
    /// Of the finished adapter.
    private(set) var adapter: Digest?
    private(set) var problem: CorpusError?
    private(set) var isFinished = false

    init(_ folder: URL) {
        name = folder.lastPathComponent
        self.folder = folder
        let log = folder.appending(path: "log.jsonl")
        do throws(DiskError) {
            if let data = try Disk.readIfPresent(log.path) { read(data, log) }
        } catch {
            problem = CorpusError(error)
        }
    }

    /// - Throws: ``CorpusError`` where the runs cannot be listed. One that cannot be read is its trail's problem.
    static func all(in corpus: Corpus) throws(CorpusError) -> [RunTrail] {
        try corpus.contents(of: corpus.folder.appending(path: "runs"), ending: "").map { RunTrail($0) }
    }

    private mutating func read(_ data: Data, _ log: URL) {
        let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var sums: [Bool?] = []
        // What follows the last newline was being written when its process died.
        for line in lines.dropLast() where !line.isEmpty {
            let line = Data(line)
            sums.append(LineSum.check(line))
            mention(line)
            if let entry = try? JSONDecoder().decode(Line.self, from: line) {
                take(entry)
            } else if problem == nil {
                problem = CorpusError(.damaged, log.path, "line \(sums.count) cannot be read: \(Self.remedy)")
            }
        }
        let isSummed = sums.contains { $0 != nil }
        if isSummed, let bad = sums.firstIndex(where: { $0 != true }) {
            problem = CorpusError(.damaged, log.path, "line \(bad + 1) is not as it was written: \(Self.remedy)")
        }
    }

    private static let remedy = "restore it from a copy, or start a run under another name"

    private mutating func take(_ entry: Line) {
        if entry.event == "resolution", let digest = entry.selection.flatMap({ Digest(hex: $0) }) {
            selections.insert(digest)
        }
        // A run that is trained on gets another adapter.
        isFinished = entry.event == "finished"
        if isFinished { adapter = entry.adapter.flatMap { Digest(hex: $0) } }
    }

    private mutating func mention(_ line: Data) {
        for word in line.split(whereSeparator: { !(48...57).contains($0) && !(97...102).contains($0) })
        where word.count == 64 {
            if let digest = Digest(hex: String(decoding: word, as: UTF8.self)) { mentions.insert(digest) }
        }
    }
}
