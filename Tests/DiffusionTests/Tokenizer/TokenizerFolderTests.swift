import Diffusion
import DiskAccess
import Foundation
import Testing

/// What transformers 5.24's CLIPTokenizer gives for folders of every age, made from datasets/tiny-sd.
@Suite("Tokenizer folders") struct TokenizerFolderTests {
    /// tiny-sd's tokenizer with other files; removed when it goes.
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appending(path: "tokenizer-\(UUID())")

        init(_ kept: [String] = ["vocab.json", "merges.txt"], _ files: [String: String] = [:]) throws {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
            for name in kept {
                try FileManager.default.copyItem(
                    at: CLIPTokenizerTests.folder.appending(path: name), to: url.appending(path: name))
            }
            for (name, text) in files { try write(text, name) }
        }

        func write(_ text: String, _ name: String) throws {
            try Data(text.utf8).write(to: url.appending(path: name))
        }

        func error() -> ModelError? {
            do {
                _ = try CLIPTokenizer(folder: url)
                return nil
            } catch { return error }
        }

        deinit { try? FileManager.default.removeItem(at: url) }
    }

    private static let settings = #"{"model_max_length":24,"tokenizer_class":"CLIPTokenizer"}"#

    /// Today's transformers saves tokenizer.json and tokenizer_config.json alone.
    @Test(arguments: CLIPTokenizerTests.table) func theNewFilesAlone(text: String, expected: [Int]) throws {
        let folder = try Folder(["tokenizer.json", "tokenizer_config.json"])
        let encoding = try CLIPTokenizer(folder: folder.url).encode(text)
        #expect(encoding.ids == expected + Array(repeating: 629, count: 24 - expected.count))
    }

    /// Whether an optional file is there cannot be known: that is not the same as its absence.
    @Test func aLookThatFailsIsNoAbsence() throws {
        let folder = try Folder(["vocab.json", "merges.txt"])
        #expect(folder.error() == nil)
        let error = Faults.$plan.withValue(FaultPlan(.stat, 1, .fail)) { folder.error() }
        #expect(error?.description.contains("Input/output error") == true)
    }

    /// Merges as pairs, as today, and as texts, as before tokenizers 0.20.
    @Test func mergesAsTexts() throws {
        let folder = try Folder(["tokenizer_config.json"])
        let data = try Data(contentsOf: CLIPTokenizerTests.folder.appending(path: "tokenizer.json"))
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        var model = try #require(object["model"] as? [String: Any])
        model["merges"] = try #require(model["merges"] as? [[String]]).map { $0.joined(separator: " ") }
        object["model"] = model
        try JSONSerialization.data(withJSONObject: object).write(to: folder.url.appending(path: "tokenizer.json"))
        #expect(
            try CLIPTokenizer(folder: folder.url).encode("three green stars").ids.prefix(4) == [628, 589, 564, 596])
    }

    @Test(arguments: [
        ("three pink <cat-toy>", [589, 553, 630]), ("a <CAT-TOY>b", [320, 630, 321]), ("x<Dog>y", [343, 631, 344]),
        ("a  <dog>  b", [320, 631, 321]), ("<cat-toy><cat-toy>", [630, 630]),
    ])
    func addedTokensOfOldFolders(text: String, expected: [Int]) throws {
        let folder = try Folder(
            ["vocab.json", "merges.txt"],
            ["tokenizer_config.json": Self.settings, "added_tokens.json": #"{"<Dog>": 631, "<cat-toy>": 630}"#])
        #expect(
            try CLIPTokenizer(folder: folder.url).encode(text).ids.dropFirst().prefix(expected.count) == expected[...])
        #expect(try CLIPTokenizer(folder: folder.url).encode(text).ids[expected.count + 1] == 629)
    }

    private static let decoder = #"""
        {"model_max_length":24,"pad_token":"!","added_tokens_decoder":{
        "628":{"content":"<|startoftext|>","normalized":true,"special":true},
        "629":{"content":"<|endoftext|>","normalized":false,"special":true},
        "630":{"content":"<cat-toy>","normalized":true},"631":{"content":"<Dog>","normalized":true,"lstrip":true},
        "632":{"content":"word","normalized":true,"single_word":true},
        "633":{"content":"rr","normalized":false,"rstrip":true}}}
        """#

    /// A special token that is looked for in lower-case text is found in capitals too.
    @Test(arguments: [
        ("<|STARTOFTEXT|> x", [628, 343]), ("word words sword word.", [632, 86, 557, 597, 82, 86, 557, 323, 632, 269]),
        ("a rr b", [320, 633, 321]), ("arr  b", [320, 633, 321]), ("Word WORD", [632, 632]),
        ("<|ENDOFTEXT|> !", [27, 347, 68, 77, 67, 78, 69, 83, 68, 87, 339, 91, 285, 0]),
        ("x <dog> y", [343, 631, 344]),
    ])
    func addedTokensOfNewerFolders(text: String, expected: [Int]) throws {
        let folder = try Folder(["vocab.json", "merges.txt"], ["tokenizer_config.json": Self.decoder])
        let ids = try CLIPTokenizer(folder: folder.url).encode(text).ids
        #expect(ids.dropFirst().prefix(expected.count) == expected[...] && ids[expected.count + 1] == 629, "\(ids)")
    }

    /// The map of special tokens is not read where the configuration lists the added ones.
    @Test func theListOfAddedTokensCounts() throws {
        let folder = try Folder(
            ["vocab.json", "merges.txt"],
            ["tokenizer_config.json": Self.decoder, "special_tokens_map.json": #"{"pad_token":"<|endoftext|>"}"#])
        #expect(try CLIPTokenizer(folder: folder.url).encode("a").ids.last == 0)
    }

    @Test func damageIsNamed() throws {
        func error(_ files: [String: String], _ kept: [String] = ["vocab.json", "merges.txt"]) throws -> String {
            try Folder(kept, files).error()?.description ?? ""
        }
        #expect(try error(["added_tokens.json": #"{"<cat>": 635}"#]).contains("635"))
        #expect(try error(["added_tokens.json": #"{"<cat>": "x"}"#]).contains("<cat>"))
        #expect(try error(["tokenizer_config.json": #"{"pad_token": "<nothing>"}"#]).contains("<nothing>"))
        #expect(try error(["tokenizer_config.json": "[1]"]).contains("tokenizer_config.json"))
        #expect(try error(["tokenizer.json": "{}"], []).contains("model"))
        #expect(try error(["tokenizer.json": #"{"model":{"type":"Unigram"}}"#], []).contains("Unigram"))
        #expect(
            try error(["tokenizer.json": "version https://git-lfs.github.com/spec/v1\noid"], []).contains("git-lfs"))
        #expect(
            try error(["merges.txt": "version https://git-lfs.github.com/spec/v1\n"], ["vocab.json"]).contains(
                "git-lfs"))
        #expect(try error([:], []).contains("vocab.json"))
        let large = #"{"model":{"vocab":{"<|startoftext|>":0,"<|endoftext|>":9223372036854775807},"merges":["a b"]}}"#
        #expect(
            try error(["tokenizer.json": large, "added_tokens.json": #"{"<cat>": 5}"#], []).contains("ids below zero"))
    }

    /// A copy of the vocabulary that says the same does not count in the model's digest; one that adds a word does.
    @Test func theDigestFollowsWhatIsRead() throws {
        let copy = FileManager.default.temporaryDirectory.appending(path: "attune-\(UUID())")
        try FileManager.default.copyItem(at: Goldens.tinySD, to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        let original = try ModelDigest.compute(folder: copy)
        #expect(original == "sha256:75c2ffc1355761a9256eb98a670306aff7b8ceb83f83a8899d705070d9febcdd")
        let place = copy.appending(path: "tokenizer/tokenizer.json")
        let bytes = try Data(contentsOf: place)
        try (bytes + Data("\n".utf8)).write(to: place)
        #expect(try ModelDigest.compute(folder: copy) == original)
        let text = String(decoding: bytes, as: UTF8.self).replacing(
            #""added_tokens": ["#, with: #""added_tokens": [{"id":630,"content":"<cat>","normalized":true},"#,
            maxReplacements: 1)
        try Data(text.utf8).write(to: place)
        let taught = try ModelDigest.compute(folder: copy)
        #expect(taught != original)
        try bytes.write(to: place)
        try Data(#"{"<cat>": 630}"#.utf8).write(to: copy.appending(path: "tokenizer/added_tokens.json"))
        #expect(![taught, original].contains(try ModelDigest.compute(folder: copy)))
    }
}
