import Foundation
import Interchange
import TestSupport
import Testing

/// Metadata as Python, pandas, Excel and scrapers write it.
@Suite struct MetadataTests {
    private let scratch: Scratch
    private let set: MadeSet

    init() throws {
        scratch = try Scratch()
        set = try MadeSet(scratch.url("set"))
        for name in ["0.png", "1.png"] { try set.write(name, MadeSet.png(UInt8(name.utf8.first ?? 0))) }
    }

    private func read(
        _ text: String, file: String = "metadata.jsonl", tally: ImportTally = ImportTally()
    ) throws -> [CaptionedImage] {
        try set.write(file, text)
        return try CaptionedFolder.imageFolder(set.root, text: "text", tally: tally).all
    }

    /// A row of 0.png with a text as JSON spells it.
    private func row(_ text: String) -> String { "{\"file_name\":\"0.png\",\"text\":\(text)}\n" }

    @Test(
        arguments: [
            ("\"a\"", "a"), ("[\"a\", \"b\"]", "a"), ("12345678901234567890", "12345678901234567890"), ("7", "7"),
            ("-7.0", "-7"), ("0.25", "0.25"), ("1e300", "1e300"), ("9007199254740993", "9007199254740993"),
            ("\"\\ud83d\\ude00\"", "\u{1F600}"), ("\"a\\tb\\nc\"", "a\tb\nc"), ("\"caf\\u00e9\"", "café"),
        ]) func captionsOfEveryKind(json: String, caption: String) throws
    {
        #expect(try read(row(json)).map(\.caption) == [caption])
    }

    @Test(
        arguments: [
            ("null", "null"), ("NaN", "NaN"), ("-Infinity", "-Infinity"), ("true", "true"), ("{}", "object"),
            ("[]", "empty list"), ("[null]", "null"), ("[[1]]", "list of lists"), ("\"\"", "empty"),
            ("\" \\n\"", "empty"),
            ("\"smile \\ud83d cut\"", "surrogate"), ("\"before\\u0000after\"", "NUL"), ("\"a\\u001bb\"", "U+001B"),
        ]) func refusesWhatIsNoCaption(json: String, what: String) throws
    {
        expectRefused("metadata.jsonl, line 1", what) { _ = try read(row(json)) }
        let tally = ImportTally(skips: true)
        #expect(try read(row("\"fine\"") + row(json), tally: tally).map(\.caption) == ["fine"])
        #expect(tally.summary.contains("1 without a usable caption (line 2 of metadata.jsonl)"))
    }

    @Test func otherColumnsDoNotMatter() throws {
        let odd = [
            "NaN", "Infinity", "-Infinity", "1e400", "12345678901234567890123", "\"\\ud800\"", "[[{}]]", "-0.0",
            "\"\\u0000\"",
        ]
        for value in odd {
            let line = "{\"score\":\(value),\"file_name\":\"0.png\",\"text\":\"a\",\"url\":\(value)}"
            #expect(try read(line).map(\.caption) == ["a"], "\(value)")
        }
        #expect(
            try read("{\"file_name\":\"0.png\",\"text\":\"a\",\"url\":12345678901234567890}")[0].url
                == "12345678901234567890")
    }

    @Test func everyLineEndIsOne() throws {
        for end in ["\n", "\r\n", "\r"] {
            let rows = ["file_name,text", "0.png,\"zero\"", "", "1.png,one"].joined(separator: end)
            #expect(try read(rows, file: "metadata.csv").map(\.caption) == ["zero", "one"])
            #expect(try read(rows + end, file: "metadata.csv").map(\.caption) == ["zero", "one"])
        }
        try FileManager.default.removeItem(at: set.root.appending(path: "metadata.csv"))
        let lines = [row("\"a\""), row("\"b\"")].map { String($0.dropLast()) }
        for end in ["\n", "\r\n", "\r"] { #expect(try read(lines.joined(separator: end)).count == 2) }
        expectRefused("metadata.jsonl, line 3", "JSON") { _ = try read(lines.joined(separator: "\r") + "\r{\r") }
    }

    @Test func ambiguousMetadataIsAnError() throws {
        try set.write("metadata.csv", "file_name,text\n0.png,a\n")
        expectRefused("set", "metadata.csv and metadata.jsonl") { _ = try read(row("\"b\"")) }
        try FileManager.default.removeItem(at: set.root.appending(path: "metadata.csv"))
        try set.write("train/0.png", MadeSet.png(3))
        try set.write("train/metadata.jsonl", row("\"b\""))
        expectRefused("names train/0.png", "metadata.jsonl") {
            _ = try read("{\"file_name\":\"train/0.png\",\"text\":\"a\"}\n")
        }
        #expect(try read("{\"file_name\":\"1.png\",\"text\":\"a\"}\n").count == 2)
        #expect(try read(row("\"a\"") + row("\"b\"")).count == 3, "one file may give several captions")
    }

    @Test func parquetIsRefusedWithTheWayOn() throws {
        try set.write("metadata.parquet", "PAR1")
        expectRefused("metadata.parquet", "to_json") {
            _ = try CaptionedFolder.imageFolder(set.root, text: "text")
        }
        expectRefused("set", "metadata.jsonl and metadata.parquet") { _ = try read(row("\"a\"")) }
    }

    @Test func everySampleIsCounted() throws {
        try set.write("2.gif", "GIF89a")
        let tally = ImportTally(skips: true)
        let text =
            row("\"a\"") + "nonsense\n{\"text\":\"b\"}\n{\"file_name\":\"gone.png\",\"text\":\"c\"}\n"
            + "{\"file_name\":\"2.gif\",\"text\":\"d\"}\n{\"file_name\":\"../x.png\",\"text\":\"d\"}\n"
        #expect(try read(text, tally: tally).count == 1)
        #expect(tally.count == 6, "\(tally.summary)")
        #expect(
            tally.summary == "1 in a format that is not read (2.gif), 1 missing or unreadable (gone.png), "
                + "3 with metadata that cannot be read (line 2 of metadata.jsonl, line 3 of metadata.jsonl, line 6 of "
                + "metadata.jsonl), 1 not named by the metadata (1.png)")
        let stopping = ImportTally()
        expectRefused("line 2", "JSON") { _ = try read(text, tally: stopping) }
    }

    /// macOS decomposes file names; tables keep them composed.
    @Test func namesMatchInEveryNormalization() throws {
        try set.write("cafe\u{301}.png", MadeSet.png(5))
        #expect(try read("{\"file_name\":\"caf\u{E9}.png\",\"text\":\"a\"}\n").count == 1)
        try set.write("caf\u{E9}.png", MadeSet.png(6))
        let images = try read("{\"file_name\":\"caf\u{E9}.png\",\"text\":\"a\"}\n")
        #expect(try images.map(\.bytes) == [MadeSet.png(6)], "the exact spelling first")
    }
}
