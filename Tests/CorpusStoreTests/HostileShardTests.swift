import CorpusStore
import Foundation
import HDF5
import Testing

/// Shards that mean harm: every reading of a mutated shard ends with values or with an error that names the file.
///
/// `ATTUNE_MUTATIONS` sets how many shards are tried (`make test-long`: 120,000). Readings run in this process, so that a
/// trap, an endless loop or memory without bound fails the test run as it would fail the user.
@Suite struct HostileShardTests {
    private static let mutations = ProcessInfo.processInfo.environment["ATTUNE_MUTATIONS"].flatMap { Int($0) } ?? 1500

    @Test func noMutationDoesHarm() throws {
        let folder = try TemporaryFolder()
        let whole = try ShardWriter.pack(sampleRecords(5))
        let regions = Regions(whole)
        let file = folder.url.appending(path: "hostile.h5")
        var draws = Draws(state: 20_261_121)
        var (refused, passed) = (0, 0)
        var nameless: String?
        for index in 0..<Self.mutations {
            var bytes = whole
            regions.mutate(&bytes, index, &draws)
            try bytes.write(to: file)
            do throws(CorpusError) {
                try readEverything(file, digest: Digest(of: bytes))
                passed += 1
            } catch {
                let text = "\(error)"
                if !text.contains("hostile.h5"), !text.contains(Digest(of: bytes).hex) { nameless = text }
                #expect(text.utf8.count < 2000)
                refused += 1
            }
        }
        #expect(nameless == nil)
        // Structure is dense in a small shard: most mutations are seen, and some only change values.
        #expect(refused > Self.mutations / 4 && passed > 0)
        // Training in other suites of this process takes more than one GiB by itself.
        #expect(residentBytes < 3 << 30)
    }

    /// Every length at which a file may be cut.
    @Test func noTruncationDoesHarm() throws {
        let folder = try TemporaryFolder()
        let whole = try ShardWriter.pack(sampleRecords(3))
        let file = folder.url.appending(path: "hostile.h5")
        for length in stride(from: 0, to: whole.count, by: max(whole.count / 400, 1)) {
            let bytes = whole.prefix(length)
            try bytes.write(to: file)
            #expect(throws: CorpusError.self) { try readEverything(file, digest: Digest(of: bytes)) }
        }
    }

    @Test func namesAndSizesThatLieAreRefused() throws {
        let folder = try TemporaryFolder()
        let file = folder.url.appending(path: "hostile.h5")
        for bytes in [
            Data(), Data("\u{89}HDF\r\n\u{1a}\n".utf8), Data(repeating: 0xFF, count: 4096),
            Data(repeating: 0, count: 4096),
        ] {
            try bytes.write(to: file)
            #expect(throws: CorpusError.self) { try readEverything(file, digest: Digest(of: bytes)) }
        }
    }

    /// All that Attune ever reads of a shard.
    private func readEverything(_ file: URL, digest: Digest) throws(CorpusError) {
        let shard = try ShardReader(file, digest: digest)
        let rows = Array(shard.ids.indices)
        var failure: CorpusError?
        func attempt(_ body: () throws(CorpusError) -> Void) {
            do throws(CorpusError) { try body() } catch { failure = failure ?? error }
        }
        // One failure does not keep the others from being tried.
        attempt { () throws(CorpusError) in _ = try shard.manifests() }
        attempt { () throws(CorpusError) in for row in rows { _ = try shard.manifest(row) } }
        attempt { () throws(CorpusError) in _ = try shard.prompts() }
        attempt { () throws(CorpusError) in _ = try shard.traces() }
        attempt { () throws(CorpusError) in _ = try shard.images(rows) }
        attempt { () throws(CorpusError) in _ = try shard.latents(rows.filter { $0 != 3 }, shape: [4, 2, 2]) }
        attempt { () throws(CorpusError) in _ = try shard.latents(rows.filter { $0 == 3 }, shape: [4, 1, 2]) }
        attempt { () throws(CorpusError) in _ = try shard.records(rows) }
        attempt { () throws(CorpusError) in try shard.verifyContents() }
        attempt { () throws(CorpusError) in try shard.verify() }
        if let failure { throw failure }
    }
}

/// Where the parts of an HDF5 file lie, so that each is hit about as often as the others.
private struct Regions {
    /// The superblock, and everything that begins with a mark: trees, heaps, symbol nodes, and the headers between.
    private var starts: [Int] = [0]
    private let count: Int

    init(_ bytes: Data) {
        count = bytes.count
        for mark in ["TREE", "HEAP", "SNOD"] {
            var from = bytes.startIndex
            while let found = bytes.range(of: Data(mark.utf8), in: from..<bytes.endIndex) {
                starts.append(found.lowerBound)
                from = found.upperBound
            }
        }
        // Object headers have no mark: look every 64 bytes between.
        starts += stride(from: 96, to: count, by: 64)
    }

    func mutate(_ bytes: inout Data, _ index: Int, _ draws: inout Draws) {
        let start = starts[index % starts.count]
        let changes = 1 + draws.below(4)
        for _ in 0..<changes {
            let position = min(start + draws.below(96), count - 1)
            switch draws.below(6) {
            case 0: bytes[position] ^= 1 << UInt8(draws.below(8))
            case 1: bytes[position] = UInt8(draws.below(256))
            case 2: bytes[position] = [0, 1, 0x7F, 0x80, 0xFF][draws.below(5)]
            case 3: put(&bytes, position / 8 * 8, Self.numbers[draws.below(Self.numbers.count)])
            case 4: put(&bytes, position / 8 * 8, UInt64(draws.below(count + 64)))
            default:
                // Another part of the file in this one's place.
                let (from, length) = (draws.below(count), 1 + draws.below(64))
                for offset in 0..<length where position + offset < count && from + offset < count {
                    bytes[position + offset] = bytes[from + offset]
                }
            }
        }
        if draws.below(40) == 0 { bytes = bytes.prefix(1 + draws.below(count)) }
    }

    private static let numbers: [UInt64] = [
        0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, .max, .max - 1, .max - 7, .max - 23, 1 << 32, 1 << 40,
        1 << 62,
    ]

    private func put(_ bytes: inout Data, _ position: Int, _ number: UInt64) {
        for offset in 0..<8 where position + offset < bytes.count {
            bytes[position + offset] = UInt8(truncatingIfNeeded: number >> UInt64(8 * offset))
        }
    }
}

/// SplitMix64, so that a failure can be repeated.
private struct Draws {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(max(bound, 1)))
    }
}

/// The memory that this process has in use.
private var residentBytes: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * 4096
}
