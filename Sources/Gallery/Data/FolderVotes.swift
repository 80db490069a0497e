package import CorpusStore
import DiskAccess
import Foundation
import Synchronization

/// Which of two images of named folders somebody liked better: one line each in `comparisons/folders.jsonl` of the corpus
/// (schemas/folder-vote.schema.json). Of several votes on a pair the last counts.
package final class FolderVotes: Sendable {
    package struct Vote: Codable, Sendable, Equatable {
        package struct Side: Codable, Sendable, Equatable {
            package let folder, file, token: String
        }

        package let first, second: Side
        /// `first`, `second` or `none`.
        package let winner: String
        /// Seconds since 1970.
        package let time: Int
    }

    private let place: URL
    private let files: AtomicFiles
    /// Votes, and what the file was when they were read.
    private let known = Mutex<(stamp: [Int], votes: [Vote])?>(nil)

    package init(_ corpus: Corpus) {
        place = corpus.folder.appending(path: "comparisons/folders.jsonl")
        files = AtomicFiles(temporaryFolder: corpus.folder.appending(path: "tmp"))
    }

    package func votes() throws -> [Vote] {
        guard let found = try Disk.status(place.path) else { return [] }
        let stamp = [Int(found.st_ino), Int(found.st_size), Int(found.st_mtim.tv_sec), Int(found.st_mtim.tv_nsec)]
        if let known = known.withLock({ $0 }), known.stamp == stamp { return known.votes }
        let votes = try Disk.read(place.path).split(separator: UInt8(ascii: "\n")).enumerated().map { number, line in
            guard let vote = try? JSONDecoder().decode(Vote.self, from: line) else {
                throw GalleryError("\(place.path): line \(number + 1) is not a vote; repair or move the file")
            }
            return vote
        }
        known.withLock { $0 = (stamp, votes) }
        return votes
    }

    /// Adds a vote; the whole file is replaced, so that none is ever half there.
    ///
    /// - Parameters:
    ///   - first: one image.
    ///   - second: the other.
    ///   - winner: 0 or 1; nil where they are as good as each other.
    package func add(_ first: FolderImage, _ second: FolderImage, winner: Int?) throws {
        guard first.token != second.token else { throw Refusal.unusable("a vote needs two images") }
        func side(_ image: FolderImage) -> Vote.Side {
            Vote.Side(folder: image.folder, file: image.file, token: image.token)
        }
        let vote = Vote(
            first: side(first), second: side(second), winner: winner.map { $0 == 0 ? "first" : "second" } ?? "none",
            time: Int(Date().timeIntervalSince1970))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // What another gallery adds meanwhile stays.
        let folder = place.deletingLastPathComponent().path
        try Disk.makeFolder(folder)
        let lock = try DiskLock(waitingFor: folder + "/.lock")
        let lines = try (votes() + [vote]).map { try encoder.encode($0) + Data("\n".utf8) }
        try files.write(lines.reduce(Data(), +), to: place)
        withExtendedLifetime(lock) {}
    }

    /// Who won among some pairs, by the last vote on each: 0 the first of the pair, 1 the second, nil neither.
    package func outcomes(_ pairs: [(String, String)]) throws -> [Int??] {
        var last: [Set<String>: Vote] = [:]
        for vote in try votes() { last[[vote.first.token, vote.second.token]] = vote }
        return pairs.map { pair in
            guard let vote = last[[pair.0, pair.1]] else { return .none }
            guard vote.winner != "none" else { return .some(nil) }
            let winner = vote.winner == "first" ? vote.first.token : vote.second.token
            return .some(winner == pair.0 ? 0 : 1)
        }
    }
}
