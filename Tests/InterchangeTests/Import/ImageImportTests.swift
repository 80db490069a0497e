import Images
import Codecs
import CorpusStore
import Foundation
import Interchange
import TestSupport
import Testing

@Suite struct ImageImportTests {
    private let scratch: Scratch
    private let set: MadeSet
    private let corpus: Corpus

    init() throws {
        scratch = try Scratch()
        set = try MadeSet(scratch.url("set"))
        corpus = try scratch.corpus("c")
    }

    private func fill(_ count: Int) throws {
        for index in 0..<count {
            try set.write("\(100 + index).png", MadeSet.png(UInt8(index)))
            try set.write("\(100 + index).txt", "no. \(index)")
        }
    }

    private func run(
        _ tally: ImportTally = ImportTally(), _ change: (inout ImageImport.Settings) -> Void = { _ in }
    ) throws -> ImageImport.Outcome {
        var settings = ImageImport.Settings()
        change(&settings)
        return try ImageImport(corpus, encoder: nil, settings: settings, tally: tally)
            .run(CaptionedFolder.kohya(set.root, tally: tally))
    }

    @Test func keepsImagesAndTheirOrigin() throws {
        try fill(3)
        let outcome = try run { ($0.batch, $0.tag) = (2, "real") }
        #expect(try outcome.made == 3 && corpus.shards().count == 2)
        let rows = try corpus.query(CatalogueQuery(condition: "prompt = 'no. 1'"))
        let record = try SampleReader(corpus).records(rows)[0]
        #expect(try record.png == MadeSet.png(1), "a plain PNG is kept byte for byte")
        #expect(try record.recipe.source?.file == Digest(of: MadeSet.png(1)))
        #expect(record.recipe.source?.path == "set/101.png" && record.tag == "real")
        #expect(record.latent.isEmpty && record.latentShape.isEmpty && rows[0].mi == nil)
        #expect(corpus.verify().isEmpty)
    }

    @Test func takesNothingInTwice() throws {
        try fill(3)
        #expect(try run().made == 3)
        // Once more under another name, and once with another caption.
        try set.write("again.png", MadeSet.png(1))
        try set.write("again.txt", "no. 1")
        try set.write("twice.png", MadeSet.png(1))
        try set.write("twice.txt", "another caption")
        let outcome = try run()
        #expect(outcome.made == 1 && outcome.skipped == 4)
        #expect(try corpus.query(CatalogueQuery()).count == 4)
    }

    @Test func bringsImagesToASize() throws {
        try fill(1)
        #expect(try run { $0.size = 4 }.made == 1)
        #expect(try run { ($0.size, $0.fit) = (4, .stretch) }.made == 1, "another fit is another sample")
        let rows = try corpus.query(CatalogueQuery())
        #expect(rows.allSatisfy { $0.width == 4 && $0.height == 4 })
        for record in try SampleReader(corpus).records(rows) {
            let image = try PNG.decode(record.png)
            #expect(image.width == 4 && image.height == 4 && Digest(of: image.pixels) == record.pixels)
        }
    }

    @Test func stopsAtAnImageThatCannotBeRead() throws {
        try fill(3)
        let whole = try MadeSet.png(1, width: 64, height: 64)
        try set.write("101.png", Array(whole.prefix(whole.count / 2)))
        expectRefused("101.png", "PNG") { _ = try run() }
        #expect(try corpus.query(CatalogueQuery()).isEmpty, "nothing of its batch is imported")
        #expect(corpus.verify().isEmpty)
        let tally = ImportTally(skips: true)
        #expect(try run(tally).made == 2 && tally.summary == "1 damaged (101.png)")
    }

    @Test func bytesCountAndNotNames() throws {
        try fill(1)
        try set.write("100.jpg", MadeSet.png(3))
        #expect(try run().made == 2, "a PNG that is called .jpg")
        try set.write("100.jpg", "GIF89a")
        expectRefused("100.jpg", "GIF") { _ = try run() }
        try set.write("100.jpg", "<html>")
        expectRefused("100.jpg", "neither") { _ = try run() }
        try set.write("100.jpg", [0xFF, 0xD8, 0xFF, 0xE0, 0, 16])
        expectRefused("100.jpg", "JPEG") { _ = try run() }
    }

    @Test func shardsCarryImportedSamples() throws {
        try fill(2)
        _ = try run()
        let digest = try #require(try corpus.shards().first)
        let file = corpus.folder.appending(path: "shards/\(digest.hex.prefix(2))/\(digest.hex).h5")
        let other = try scratch.corpus("other")
        let outcome = try ShardImport(file, into: other) { _, _ in }.run()
        #expect(outcome.made == 2)
        #expect(try other.query(CatalogueQuery()).map(\.id) == corpus.query(CatalogueQuery()).map(\.id))
    }
}
