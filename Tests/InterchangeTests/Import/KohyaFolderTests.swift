import Foundation
import Interchange
import TestSupport
import Testing

@Suite struct KohyaFolderTests {
    private let scratch: Scratch
    private let set: MadeSet

    init() throws {
        scratch = try Scratch()
        set = try MadeSet(scratch.url("set"))
    }

    private func captions(
        _ extensions: [String] = CaptionedFolder.captionExtensions, _ tally: ImportTally = ImportTally()
    )
        throws -> [String]
    {
        try CaptionedFolder.kohya(set.root, captions: extensions, tally: tally).all.map(\.caption)
    }

    @Test func captionFilesInTheOrderOfSdScripts() throws {
        try set.write("10_cat/0.png", MadeSet.png(0))
        try set.write("10_cat/0.caption", "a sentence\n")
        try set.write("10_cat/0.txt", "tags, of it\n")
        let tally = ImportTally()
        #expect(try captions(CaptionedFolder.captionExtensions, tally) == ["a sentence"])
        #expect(tally.notes.count == 1 && tally.notes[0].contains("second caption file"), "\(tally.notes)")
        #expect(try captions([".txt"]) == ["tags, of it"])
        #expect(try captions([".tags"]) == ["cat"])
        try set.write("10_cat/0.txt", "a sentence")
        let same = ImportTally()
        _ = try captions(CaptionedFolder.captionExtensions, same)
        #expect(same.notes.isEmpty)
    }

    @Test func theFirstLineIsTheCaption() throws {
        try set.write("0.png", MadeSet.png(0))
        try set.write("0.txt", "\u{FEFF}  first line \r\nsecond line\r\n")
        let tally = ImportTally()
        #expect(try captions(CaptionedFolder.captionExtensions, tally) == ["first line"])
        #expect(tally.notes == ["1 image with captions of several lines, of which the first is taken: 0.png"])
        try set.write("0.txt", "one\rtwo")
        #expect(try captions() == ["one"])
        try set.write("0.txt", "\nsecond line\n")
        expectRefused("0.txt", "empty line") { _ = try captions() }
        try set.write("0.txt", [0x61, 0, 0x62])
        expectRefused("0.txt", "NUL") { _ = try captions() }
    }

    @Test func extensionsInAnyCase() throws {
        try set.write("2.PNG", MadeSet.png(0))
        try set.write("2.TXT", "upper")
        #expect(try captions() == ["upper"])
        try set.write("2.txt", "lower")
        #expect(try captions() == ["lower"])
    }

    @Test func theConceptIsTold() throws {
        for name in ["0.png", "1.png", "2.png", "3.png"] { try set.write("10_cat/\(name)", MadeSet.png(0)) }
        let tally = ImportTally()
        #expect(try captions(CaptionedFolder.captionExtensions, tally) == ["cat", "cat", "cat", "cat"])
        #expect(
            tally.notes == [
                "4 images without a caption file; the folder's concept is its caption: 10_cat/0.png, 10_cat/1.png, "
                    + "10_cat/2.png, …"
            ])
    }

    @Test func noImageIsLostUnsaid() throws {
        for (index, name) in ["0.png", "1.bmp", "2.gif", "3.tif", "4.avif", "5.jxl", "6.webp"].enumerated() {
            try set.write("10_cat/\(name)", MadeSet.png(UInt8(index)))
            try set.write("10_cat/\(index).txt", name)
        }
        // The bytes of a PNG count more than the name.
        #expect(try captions().count == 7)
        for (name, head) in [
            ("1.bmp", "BM...."), ("2.gif", "GIF89a"), ("3.tif", "II*\0"), ("4.avif", "....ftypavif"), ("5.jxl", "?"),
        ] {
            try set.write("10_cat/\(name)", head)
        }
        expectRefused("1.bmp", "BMP") { _ = try captions() }
        try set.write("10_cat/9.txt", "no image")
        let tally = ImportTally(skips: true)
        #expect(try captions(CaptionedFolder.captionExtensions, tally) == ["0.png", "6.webp"])
        #expect(
            tally.summary == "5 in a format that is not read (10_cat/1.bmp, 10_cat/2.gif, 10_cat/3.tif, …), "
                + "1 without an image (10_cat/9.txt)")
    }

    @Test func linksAreFollowedAndLoopsSeen() throws {
        try set.write("10_own/9.png", MadeSet.png(9))
        try set.write("10_own/9.txt", "own")
        let store = try MadeSet(scratch.url("store"))
        for name in ["0", "1", "2"] {
            try store.write("cats/\(name).png", MadeSet.png(1))
            try store.write("cats/\(name).txt", name)
        }
        let files = FileManager.default
        try files.createSymbolicLink(
            atPath: set.root.appending(path: "10_linked").path, withDestinationPath: "../store/cats")
        try files.createSymbolicLink(atPath: store.root.appending(path: "cats/up").path, withDestinationPath: "..")
        try files.createSymbolicLink(atPath: set.root.appending(path: "10_own/self").path, withDestinationPath: ".")
        #expect(try captions() == ["0", "1", "2", "own"])
        let link = scratch.url("link")
        try files.createSymbolicLink(atPath: link.path, withDestinationPath: "set")
        #expect(try CaptionedFolder.kohya(link).count == 4)
        #expect(try CaptionedFolder.kohya(URL(fileURLWithPath: link.path + "/.")).count == 4)
        try files.createSymbolicLink(
            atPath: set.root.appending(path: "10_own/dangling.png").path, withDestinationPath: "nowhere")
        expectRefused("dangling.png", "missing") { _ = try captions() }
    }

    @Test func namesMatchInEveryNormalization() throws {
        try set.write("caf\u{E9}.png", MadeSet.png(1))
        try set.write("cafe\u{301}.txt", "a caption")
        #expect(try captions() == ["a caption"])
    }
}
