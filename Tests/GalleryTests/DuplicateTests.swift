import Codecs
import CorpusStore
import Foundation
import Testing
import Workflows

import Gallery

@Suite("Near-duplicates on pages")
struct DuplicateTests {
    /// Images of noise under two prompts, two of which are there twice under other prompts.
    private func made() throws -> MadeCorpus {
        let made = try MadeCorpus(prompts: ["other"], candidates: 1)
        var state: UInt64 = 88
        func noise() throws -> [UInt8] {
            // Large cells, which hashes and thumbnails see.
            let cells = (0..<64).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(state >> 56)
            }
            let pixels = (0..<64 * 64).flatMap { place -> [UInt8] in
                let value = cells[place / 64 / 8 * 8 + place % 64 / 8]
                return [value, value, value]
            }
            return try PNG.encode(width: 64, height: 64, pixels: pixels)
        }
        var records: [SampleRecord] = []
        for number in 0..<6 {
            let png = try noise()
            records.append(try MadeCorpus.record("prompt \(number % 2)", seed: number, side: 64, png: png))
            if number < 2 {
                records.append(try MadeCorpus.record("copy \(number)", seed: 50 + number, side: 64, png: png))
            }
        }
        try made.corpus.append(records)
        return made
    }

    private func ready(_ data: GalleryData, _ text: String = "") throws -> DuplicateGroups {
        guard case .ready(let found) = try data.duplicates.groups(DuplicateQuery(Query(text)), patience: 30) else {
            throw Refusal.unusable("was not ready, or failed")
        }
        return found
    }

    @Test func groupsAreThoseOfTheCommandWithTheBestFirst() throws {
        let made = try made()
        let data = try made.data()
        let found = try ready(data)
        #expect(found.groups.count == 2 && found.looked == 9 && found.redundant == 2)
        for group in found.groups {
            let members = try data.members(of: group, by: "mi")
            #expect(members.count == 2 && members[0].row.seed.count > members[1].row.seed.count, "the copy has more MI")
            #expect(try data.members(of: group, by: "-mi").map(\.row.id) == members.reversed().map(\.row.id))
        }
        #expect(try ready(data, "where=seed+%3C+50").groups.isEmpty)
        // Prints are stored where edits are allowed, and only there.
        #expect(try made.corpus.vectorSummaries().map(\.name) == ["prints2"])
        let other = try self.made()
        #expect(try ready(other.data(edits: false)).groups.count == 2)
        #expect(try other.corpus.vectorSummaries().isEmpty)
    }

    @Test func pages() async throws {
        let made = try made()
        let data = try made.data()
        _ = try ready(data)
        let client = Client(data, made.options())
        let page = try await client.ask("/duplicates")
        #expect(page.status == 200 && page.text.contains("2 groups among 9 samples; 2 are not the best of theirs"))
        #expect(page.text.contains("Keep the best, reject the others"))
        let readOnly = try await Client(made.data(edits: false), made.options(edits: false)).ask("/duplicates")
        #expect(readOnly.status == 200 && !readOnly.text.contains("Keep the best"))
        for (path, status, words) in [
            ("/duplicates?threshold=2", 400, "from 0 to 1.4"), ("/duplicates?threshold=x", 400, "from 0 to 1.4"),
            ("/duplicates?where=)", 400, "columns: id"), ("/duplicates?near=nothing", 400, "no such vectors"),
            ("/duplicates?by=nonsense", 400, "columns: id"),
        ] {
            let reply = try await client.ask(path)
            #expect(reply.status == status && reply.text.contains(words), "\(path): \(reply.status)")
        }
    }
}
