import CorpusStore
import DiskAccess
import Foundation

/// Features that a run has computed so far, beside the file that they are for: a killed run's work is not done again.
///
/// One line of JSON says what they are of; after it lie the numbers, 32 bits each, a row after another.
final class PartialFeatures {
    private struct Head: Codable, Equatable {
        var of: String
        var width: Int
    }

    private let place: URL
    private let file: DiskFile
    /// What earlier runs have left: whole rows.
    let values: [Float]

    /// - Parameters:
    ///   - destination: the file that the features are for.
    ///   - identity: of everything that they follow from. What is there of something else is dropped.
    init(for destination: URL, of identity: Digest, width: Int) throws {
        let destination = destination.standardizedFileURL
        place = destination.deletingLastPathComponent().appending(path: ".\(destination.lastPathComponent).partial")
        let head = Head(of: identity.hex, width: width)
        values = try Self.read(place, head)
        var whole = try JSONEncoder.stable.encode(head) + Data("\n".utf8)
        whole += values.withUnsafeBytes { Data($0) }
        // A row that was cut off goes.
        try Disk.makeFolder(place.deletingLastPathComponent().path)
        try AtomicFiles(temporaryFolder: place.deletingLastPathComponent()).write(whole, to: place)
        file = try DiskFile(place.path, .append)
    }

    private static func read(_ place: URL, _ head: Head) throws -> [Float] {
        guard let data = try Disk.readIfPresent(place.path), let end = data.firstIndex(of: UInt8(ascii: "\n")),
            let found = try? JSONDecoder().decode(Head.self, from: data[data.startIndex..<end]), found == head
        else { return [] }
        let body = [UInt8](data[(end + 1)...])
        let count = body.count / (4 * head.width) * head.width
        return body.withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }

    /// Adds rows, which are on the disk when this returns.
    func append(_ rows: [Float]) throws(DiskError) {
        try file.write(rows.withUnsafeBytes { Data($0) })
        try file.sync()
    }

    /// Removes the file, once what it was for is there.
    func discard() throws(DiskError) { try Disk.remove(place.path) }
}
