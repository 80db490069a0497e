import Foundation
import Interchange
import TestSupport
import Testing

/// Tar archives byte by byte, hostile ones too.
struct MadeTar {
    var bytes: [UInt8] = []

    /// - Parameters:
    ///   - size: what the header claims (default: the truth).
    mutating func add(_ name: String, _ content: [UInt8], type: Character = "0", size: Int? = nil, link: String = "") {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at place: Int) {
            for (offset, byte) in text.utf8.enumerated() { block[place + offset] = byte }
        }
        func octal(_ value: Int, _ digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: max(digits - text.count, 0)) + text
        }
        put(String(name.prefix(100)), at: 0)
        put("0000644", at: 100)
        put(octal(size ?? content.count, 11), at: 124)
        put("        ", at: 148)
        block[156] = type.asciiValue ?? 0
        put(link, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
        bytes += block + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    mutating func add(_ name: String, _ text: String, type: Character = "0") { add(name, Array(text.utf8), type: type) }

    var closed: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}

@Suite struct WebDatasetTests {
    private let scratch: Scratch
    private let set: MadeSet

    init() throws {
        scratch = try Scratch()
        set = try MadeSet(scratch.url("set"))
    }

    private func archive(_ tar: MadeTar, name: String = "x.tar") throws -> WebDatasetArchive {
        try set.write(name, tar.closed)
        return try WebDatasetArchive(set.root.appending(path: name), text: nil)
    }

    private func refuse(
        _ place: String, _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ fill: (inout MadeTar) throws -> Void
    ) throws {
        var tar = MadeTar()
        tar.add("ok.png", try MadeSet.png(1))
        tar.add("ok.txt", "fine")
        try fill(&tar)
        expectRefused(place, what, sourceLocation: sourceLocation) { _ = try archive(tar).all }
    }

    @Test func groupsMembersByKey() throws {
        var tar = MadeTar()
        tar.add("./d/", "", type: "5")
        tar.add("./d/a.cls", "3")
        tar.add("./d/a.png", try MadeSet.png(1))
        tar.add("./d/a.txt", "first \u{661F}\n")
        tar.add("b.json", "{\"text\":\"second\",\"url\":\"https://x/b\"}")
        tar.add("b.jpg", try MadeSet.png(2))
        tar.add("PaxHeader", "19 path=e/long.png\n", type: "x")
        tar.add("short", try MadeSet.png(3))
        tar.add("@LongLink", "e/long.txt\0", type: "L")
        tar.add("short", "third")
        let images = try archive(tar).all
        #expect(images.map(\.caption) == ["first \u{661F}", "second", "third"])
        #expect(images.map(\.origin) == ["x.tar!./d/a.png", "x.tar!b.jpg", "x.tar!e/long.png"])
        #expect(images[1].url == "https://x/b")
        #expect(try images[2].bytes == MadeSet.png(3))
    }

    @Test func refusesNamesThatLeadOut() throws {
        try refuse("x.tar!/etc/passwd", "leads out") { $0.add("/etc/passwd", "x") }
        try refuse("x.tar!../up.png", "leads out") { $0.add("../up.png", "x") }
        try refuse("x.tar!a/../../b.png", "leads out") { $0.add("a/../../b.png", "x") }
        try refuse("x.tar!../p.png", "leads out") {
            $0.add("PaxHeader", "17 path=../p.png\n", type: "x")
            $0.add("innocent.png", "x")
        }
    }

    @Test func refusesLinksAndDevices() throws {
        try refuse("x.tar!link.png", "is a link") { $0.add("link.png", [], type: "2", link: "/etc/passwd") }
        try refuse("x.tar!hard.png", "is a link") { $0.add("hard.png", [], type: "1", link: "ok.png") }
        try refuse("x.tar!device.png", "neither") { $0.add("device.png", [], type: "3") }
    }

    @Test func refusesBombs() throws {
        try refuse("x.tar!huge.png", "larger than") { $0.add("huge.png", [1, 2, 3], size: 1 << 32) }
        try refuse("x.tar", "truncated") { $0.add("cut.png", [1, 2, 3], size: 1 << 20) }
        try refuse("x.tar", "extension of") { $0.add("x", [UInt8](repeating: 65, count: 2 << 20), type: "x") }
    }

    @Test func refusesWhatIsNoArchive() throws {
        try set.write("x.tar", [UInt8](repeating: 0x41, count: 2048))
        expectRefused("x.tar", "not a tar archive") {
            _ = try WebDatasetArchive(set.root.appending(path: "x.tar"), text: nil)
        }
        try set.write("x.zip", "PK")
        expectRefused("x.zip", ".tar") { _ = try WebDatasetArchive(set.root.appending(path: "x.zip"), text: nil) }
        try set.write("x.tgz", [0x1F, 0x8B, 8, 0, 1, 2, 3])
        expectRefused("x.tgz", "gzip") { _ = try WebDatasetArchive(set.root.appending(path: "x.tgz"), text: nil) }
        expectRefused("nowhere.tar", "does not exist") {
            _ = try WebDatasetArchive(scratch.url("nowhere.tar"), text: nil)
        }
    }

    @Test func refusesTruncatedArchives() throws {
        var tar = MadeTar()
        tar.add("a.png", try MadeSet.png(1, width: 40, height: 40))
        tar.add("a.txt", "a")
        for length in [300, 700, 1100, tar.bytes.count - 600] {
            try set.write("x.tar", Array(tar.bytes.prefix(length)))
            expectRefused("x.tar") { _ = try WebDatasetArchive(set.root.appending(path: "x.tar"), text: nil).all }
        }
    }

    @Test func refusesBadMembers() throws {
        try refuse("x.tar!b.txt", "UTF-8") {
            $0.add("b.png", try MadeSet.png(2))
            $0.add("b.txt", [0xC3, 0x28])
        }
        try refuse("x.tar!b.json", "JSON") {
            $0.add("b.png", try MadeSet.png(2))
            $0.add("b.json", "{")
        }
        try refuse("x.tar!b.png", "no caption") { $0.add("b.png", try MadeSet.png(2)) }
        try refuse("x.tar!b.jxl", "JPEG XL") { $0.add("b.jxl", "?") }
    }

    private func read(
        _ column: String? = nil, _ tally: ImportTally = ImportTally(), fill: (inout MadeTar) throws -> Void
    ) throws -> [String] {
        var tar = MadeTar()
        try fill(&tar)
        try set.write("y.tar", tar.closed)
        return try WebDatasetArchive(set.root.appending(path: "y.tar"), text: column, tally: tally).all.map(\.caption)
    }

    /// As webdataset groups them: up to the first dot.
    @Test func longerEndingsAreFollowed() throws {
        let captions = try read {
            $0.add("v1.5_cat.jpg", try MadeSet.png(1))
            $0.add("v1.5_cat.txt", "cat")
            $0.add("v2.0_dog.jpg", try MadeSet.png(2))
            $0.add("v2.0_dog.txt", "dog")
            $0.add("b.image.jpg", try MadeSet.png(3))
            $0.add("b.caption.txt", "b")
            $0.add("c.mask.png", try MadeSet.png(4))
            $0.add("c.png", try MadeSet.png(5))
            $0.add("c.info.json", "{\"text\":\"c\"}")
            $0.add("E.PNG", try MadeSet.png(6))
            $0.add("E.TXT", "e")
        }
        #expect(captions == ["cat", "dog", "b", "c", "e"])
        expectRefused("y.tar!d", "2 images (input.png, output.png)") {
            _ = try read {
                $0.add("d.input.png", try MadeSet.png(1))
                $0.add("d.output.png", try MadeSet.png(2))
                $0.add("d.txt", "d")
            }
        }
    }

    @Test func noSampleIsLostUnsaid() throws {
        let tally = ImportTally(skips: true)
        let captions = try read(nil, tally) {
            $0.add("a.jpg", try MadeSet.png(1))
            $0.add("a.txt", "a")
            $0.add("b.txt", "no image")
            $0.add("c.jxl", "?")
            $0.add("c.txt", "c")
            $0.add("d.png", try MadeSet.png(2))
            $0.add("e.png", try MadeSet.png(2))
            $0.add("e.txt", " ")
            $0.add("f.png", try MadeSet.png(2))
            $0.add("f.json", "{")
            $0.add("g.png", try MadeSet.png(2))
            $0.add("g.json", "{\"text\":null}")
            $0.add("h.png", try MadeSet.png(2))
            $0.add("h.jpg", try MadeSet.png(2))
            $0.add("i.gif", try MadeSet.png(7))
            $0.add("i.txt", "i")
        }
        #expect(captions == ["a", "i"])
        #expect(
            tally.summary
                == "1 in a format that is not read (c.jxl), 3 without a usable caption (d.png, e.png, g.png), "
                + "1 with metadata that cannot be read (f.png), 1 with several images (h.png), 1 without an image (b)")
        expectRefused("y.tar", "no images") { _ = try read { $0.add("b.txt", "no image") } }
    }

    /// bsdtar puts a `._` file before each file that has attributes.
    @Test func filesOfMacOSAreLeftOut() throws {
        let tally = ImportTally()
        let captions = try read(nil, tally) {
            for name in ["000", "001"] {
                $0.add("._\(name).jpg", "\0\u{5}\u{16}\u{7}")
                $0.add("PaxHeader", "33 LIBARCHIVE.xattr.a=aGVsbG8gdA\n", type: "x")
                $0.add("\(name).jpg", try MadeSet.png(1))
                $0.add("d/._\(name).txt", "\0")
                $0.add("._\(name).txt", "\0")
                $0.add("\(name).txt", "caption \(name)")
            }
            $0.add(".DS_Store", "\0")
            $0.add("__MACOSX/._x.png", "\0")
            $0.add("__index__.json", "{}")
        }
        #expect(captions == ["caption 000", "caption 001"] && tally.count == 0, "\(tally.summary)")
    }

    @Test func theColumnThatIsGivenIsTaken() throws {
        func fill(_ tar: inout MadeTar) throws {
            tar.add("a.jpg", try MadeSet.png(1))
            tar.add("a.json", "{\"recaption\":\"fine\",\"text\":\"json\",\"punsafe\":NaN,\"list\":[\"one\",\"two\"]}")
            tar.add("a.cap", "a file")
            tar.add("a.txt", "buy now")
        }
        #expect(try read(nil, fill: fill) == ["buy now"])
        #expect(try read("recaption", fill: fill) == ["fine"])
        #expect(try read("text", fill: fill) == ["json"])
        #expect(try read("cap", fill: fill) == ["a file"])
        #expect(try read("txt", fill: fill) == ["buy now"])
        let tally = ImportTally()
        #expect(try read("list", tally, fill: fill) == ["one"] && tally.notes.count == 1)
        expectRefused("y.tar!a.json", "list, punsafe, recaption, text") { _ = try read("none", fill: fill) }
    }

    @Test func damagedArchivesNeverCrash() throws {
        var tar = MadeTar()
        for index in 0..<3 {
            tar.add("\(index).png", try MadeSet.png(UInt8(index)))
            tar.add("\(index).json", "{\"text\":\"no. \(index)\"}")
        }
        tar.add("PaxHeader", "19 path=e/long.png\n", type: "x")
        let whole = tar.closed
        for place in stride(from: 0, to: whole.count, by: 5) {
            var bytes = whole
            bytes[place] = bytes[place] &+ UInt8(place % 255 + 1)
            try set.write("x.tar", bytes)
            _ = try? WebDatasetArchive(set.root.appending(path: "x.tar"), text: nil).all
        }
    }
}
