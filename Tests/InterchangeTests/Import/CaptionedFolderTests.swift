import Codecs
import Foundation
import Interchange
import TestSupport
import Testing

/// Data sets made for a test.
struct MadeSet {
    let root: URL

    init(_ root: URL) throws {
        self.root = root
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    }

    static func png(_ seed: UInt8, width: Int = 9, height: Int = 6) throws -> [UInt8] {
        let pixels = (0..<3 * width * height).map { UInt8(truncatingIfNeeded: $0) &* (seed &+ 1) }
        return try PNG.encode(width: width, height: height, pixels: pixels)
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let url = root.appending(path: name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }
}

extension ImageSource {
    var all: [CaptionedImage] {
        get throws {
            var images: [CaptionedImage] = []
            try forEach {
                images.append($0)
                return true
            }
            return images
        }
    }
}

/// What a layout's reader says is wrong: exactly one error that names `place`.
func expectRefused(
    _ place: String, _ what: String = "", sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch {
        let text = "\(error)"
        #expect(
            text.contains(place) && (what.isEmpty || text.contains(what)), "\(text)", sourceLocation: sourceLocation)
        #expect(!text.contains("\n"), sourceLocation: sourceLocation)
    }
}

@Suite struct CaptionedFolderTests {
    private let scratch: Scratch
    private let set: MadeSet

    init() throws {
        scratch = try Scratch()
        set = try MadeSet(scratch.url("set"))
    }

    @Test func readsAnImageFolder() throws {
        try set.write(
            "train/metadata.jsonl",
            "\u{FEFF}{\"file_name\":\"a.png\",\"text\":\"a \u{661F}\",\"url\":\"https://x/a\"}\r\n\n")
        try set.write("train/a.png", MadeSet.png(1))
        try set.write("test/metadata.csv", "text,file_name\n\"one, \"\"two\"\"\nthree\",sub/b.png\n")
        try set.write("test/sub/b.png", MadeSet.png(2))
        let images = try CaptionedFolder.imageFolder(set.root, text: "text").all
        #expect(images.map(\.caption) == ["one, \"two\"\nthree", "a \u{661F}"])
        #expect(images.map(\.origin) == ["set/test/sub/b.png", "set/train/a.png"])
        #expect(images.map(\.url) == [nil, "https://x/a"])
        #expect(try images[1].bytes == MadeSet.png(1))
    }

    @Test func readsKohyasCaptions() throws {
        try set.write("10_a cat/1.png", MadeSet.png(1))
        try set.write("10_a cat/1.txt", "a cat on a mat\n")
        try set.write("10_a cat/2.jpg", MadeSet.png(2))
        try set.write(".cache/3.png", MadeSet.png(3))
        let images = try CaptionedFolder.kohya(set.root).all
        #expect(images.map(\.caption) == ["a cat on a mat", "a cat"])
    }

    @Test func refusesWhatIsNotThere() throws {
        expectRefused("set", "metadata.jsonl") { _ = try CaptionedFolder.imageFolder(set.root, text: "text") }
        try set.write("metadata.jsonl", "{\"file_name\":\"gone.png\",\"text\":\"x\"}\n")
        expectRefused("gone.png", "missing") { _ = try CaptionedFolder.imageFolder(set.root, text: "text") }
        expectRefused("metadata.jsonl, line 1", "caption") {
            _ = try CaptionedFolder.imageFolder(set.root, text: "caption")
        }
        expectRefused("nowhere") { _ = try CaptionedFolder.kohya(scratch.url("nowhere")) }
        try set.write("lonely.png", MadeSet.png(1))
        expectRefused("lonely.png", "lonely.txt") { _ = try CaptionedFolder.kohya(set.root) }
    }

    @Test(arguments: ["../out.png", "/etc/passwd", "a/../../b.png"])
    func refusesNamesThatLeadOut(name: String) throws {
        try set.write("metadata.jsonl", "\n{\"file_name\":\"\(name)\",\"text\":\"x\"}\n")
        expectRefused("metadata.jsonl, line 2", name) { _ = try CaptionedFolder.imageFolder(set.root, text: "text") }
    }

    @Test func refusesBrokenText() throws {
        try set.write("1.png", MadeSet.png(1))
        try set.write("1.txt", [0x61, 0xFF, 0xFE])
        expectRefused("1.txt", "UTF-8") { _ = try CaptionedFolder.kohya(set.root) }
        try set.write("1.txt", " \n")
        expectRefused("1.txt", "empty") { _ = try CaptionedFolder.kohya(set.root) }
        try set.write(
            "metadata.jsonl",
            Array("{\"file_name\":\"1.png\",\"text\":\"ok\"}\n{\"text\":\"".utf8) + [0xE9, 0x22, 0x7D])
        expectRefused("metadata.jsonl, line 2", "UTF-8") { _ = try CaptionedFolder.imageFolder(set.root, text: "text") }
        try set.write("metadata.jsonl", "{\"file_name\": 1.png}")
        expectRefused("metadata.jsonl, line 1", "JSON") { _ = try CaptionedFolder.imageFolder(set.root, text: "text") }
        try FileManager.default.removeItem(at: set.root.appending(path: "metadata.jsonl"))
        try set.write("metadata.csv", "file_name,text\n1.png,\"never ends\n")
        expectRefused("metadata.csv, line 2", "quote") { _ = try CaptionedFolder.imageFolder(set.root, text: "text") }
        try set.write("metadata.csv", "file_name,text\n1.png,a,b\n")
        expectRefused("metadata.csv, line 2", "3 fields") {
            _ = try CaptionedFolder.imageFolder(set.root, text: "text")
        }
    }

    @Test func refusesOtherFilesThanImages() throws {
        try set.write("metadata.jsonl", "{\"file_name\":\"a.gif\",\"text\":\"x\"}\n")
        try set.write("a.gif", "GIF89a")
        expectRefused("a.gif", "GIF") { _ = try CaptionedFolder.imageFolder(set.root, text: "text") }
    }
}
