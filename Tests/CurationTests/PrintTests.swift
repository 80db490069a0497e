import Codecs
import Curation
import Foundation
import Images
import Tensors
import Testing

/// Images of `Tests/Goldens/make_curation_goldens.py`.
enum CurationGoldens {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Goldens/curation")
    static let count = 6
    static let kinds = ["jpeg", "half", "larger", "crop", "middle", "mirrored", "shifted"]

    static func image(_ name: String) throws -> RGBImage {
        let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
        return try ImageFile(bytes, format: name.hasSuffix(".png") ? .png : .jpeg).decode().image
    }

    /// All images and near-duplicates, and which image each comes from.
    static func all() throws -> (prints: [ImagePrint], origins: [Int]) {
        var (prints, origins): ([ImagePrint], [Int]) = ([], [])
        for index in 0..<count {
            for name in ["\(index).png"] + kinds.map({ "\(index)-\($0).jpg" }) {
                prints.append(ImagePrint(try image(name)))
                origins.append(index)
            }
        }
        return (prints, origins)
    }
}

@Suite struct PrintTests {
    private struct Hashes: Decodable { let plain, mirrored: String }

    @Test func hashesAreThoseOfImagehash() throws {
        let expected = try JSONDecoder().decode(
            [String: Hashes].self, from: Data(contentsOf: CurationGoldens.folder.appendingPathComponent("hashes.json")))
        #expect(expected.count == CurationGoldens.count)
        for (name, hashes) in expected {
            let found = PerceptualHash.hashes(try CurationGoldens.image(name))
            #expect(String(found.plain, radix: 16) == hashes.plain, "\(name)")
            // The mirror image is not scaled again: a value near the median may round to the other side.
            let mirrored = try #require(UInt64(hashes.mirrored, radix: 16))
            #expect((found.mirrored ^ mirrored).nonzeroBitCount <= 2, "\(name) mirrored")
        }
    }

    @Test func aPrintIsWhatItsBytesSay() throws {
        let print = ImagePrint(try CurationGoldens.image("0.png"))
        #expect(print.bytes.count == ImagePrint.width)
        #expect(ImagePrint(bytes: print.bytes) == print)
    }

    @Test func everyPlantedDuplicateIsFoundAndNothingElse() throws {
        let (prints, origins) = try CurationGoldens.all()
        let found = try DuplicateFinder().groups(prints)
        #expect(found.groups.count == CurationGoldens.count)
        for group in found.groups {
            #expect(group.count == CurationGoldens.kinds.count + 1)
            #expect(Set(group.map { origins[$0] }).count == 1)
            #expect(group.allSatisfy { (found.nearest[$0] ?? 2) <= DuplicateFinder().threshold })
        }
    }

    @Test func aLargeImageHasThePrintOfASmallOne() throws {
        let small = try CurationGoldens.image("4.png")
        let side = 3
        var pixels: [UInt8] = []
        for y in 0..<small.height * side {
            for x in 0..<small.width * side {
                let place = 3 * (y / side * small.width + x / side)
                pixels += small.pixels[place..<place + 3]
            }
        }
        let large = RGBImage(width: small.width * side, height: small.height * side, pixels: pixels)
        let distance = PrintComparison(ImagePrint(large)).distance(to: PrintComparison(ImagePrint(small)))
        #expect(distance < 0.05)
    }

    /// One color, one pixel, one row: nothing to compare, and no crash.
    @Test(arguments: [(1, 1), (1, 40), (40, 1), (300, 2), (600, 400)])
    func plainImagesHavePrints(_ width: Int, _ height: Int) throws {
        let image = RGBImage(width: width, height: height, pixels: [UInt8](repeating: 90, count: 3 * width * height))
        let print = ImagePrint(image)
        #expect(PrintComparison(print).distance(to: PrintComparison(print)) == 0)
    }

    @Test func aThresholdThatPutsAllIntoOneGroupIsRefused() throws {
        let prints = try CurationGoldens.all().prints
        var finder = DuplicateFinder()
        finder.threshold = 1.4
        // Candidates are those of the hashes: alike ones alone make one group.
        let alike = Array(prints.prefix(CurationGoldens.kinds.count + 1))
        let error = #expect(throws: CurationError.self) { _ = try finder.groups(alike) }
        #expect(error?.description.contains("one group") == true)
        #expect(try DuplicateFinder().groups(alike).groups.count == 1)
    }

    @Test func stopsWhenAsked() throws {
        let prints = try CurationGoldens.all().prints
        #expect(throws: CancellationError.self) { _ = try DuplicateFinder().groups(prints, isCancelled: { true }) }
    }
}

@Suite struct HashIndexTests {
    /// What the index finds is what looking at every hash finds.
    @Test(arguments: [0, 3, 4, 7, 8, 11])
    func findsJustThoseWithin(_ distance: Int) {
        let draws = CounterGenerator(seed: 9, stream: 1)
        // Neighborhoods around a few centers, so that there is something to find.
        let hashes = (0..<3000).map { index -> UInt64 in
            var hash = draws.bits(UInt64(index % 40))
            for flip in 0..<index % 14 {
                hash ^= 1 << UInt64(draws.integer(UInt64(10_000 + 20 * index + flip), below: 64))
            }
            return hash
        }
        let index = HashIndex(hashes)
        for query in stride(from: 0, to: hashes.count, by: 97) {
            var found: [Int] = []
            index.forEach(near: hashes[query], within: distance) { found.append($0) }
            let expected = hashes.indices.filter { (hashes[$0] ^ hashes[query]).nonzeroBitCount <= distance }
            #expect(found.sorted() == expected)
            #expect(Set(found).count == found.count)
        }
    }

    @Test func anEmptyIndexFindsNothing() {
        HashIndex([]).forEach(near: 5, within: 11) { _ in Issue.record("found something") }
    }
}
