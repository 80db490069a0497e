import Diffusion
import Foundation
import Testing

@Suite("Token ids against transformers") struct CLIPTokenizerTests {
    static let folder = Goldens.tinySD.appending(path: "tokenizer")

    /// Texts and what transformers 5.23's CLIPTokenizer gives for datasets/tiny-sd, less the padding (629).
    static let table: [(String, [Int])] = [
        ("", [628, 629]),
        ("a red circle and a blue square", [628, 320, 569, 539, 516, 320, 556, 537, 629]),
        ("Three  GREEN\u{9}stars\u{A}", [628, 589, 564, 596, 629]),
        (
            "it's I'LL we've they'd 's'",
            [628, 72, 339, 6, 338, 328, 6, 75, 331, 86, 324, 6, 85, 324, 543, 68, 344, 6, 323, 6, 338, 262, 629]
        ),
        ("1234 5\u{BD} \u{2163} \u{663}", [628, 272, 273, 274, 275, 276, 126, 377, 158, 227, 367, 149, 352, 629]),
        (
            "caf\u{E9} cafe\u{301} na\u{EF}ve \u{C0}\u{C9}\u{CE}",
            [
                628, 66, 64, 69, 127, 358, 66, 64, 69, 127, 358, 77, 64, 127, 107, 85, 324, 127, 254, 127, 102, 127,
                362, 629,
            ]
        ),
        (
            "\u{65E5}\u{672C}\u{8A9E}\u{306E}\u{30C6}\u{30AD}\u{30B9}\u{30C8}",
            [
                628, 162, 245, 98, 162, 250, 105, 164, 103, 252, 159, 223, 106, 159, 225, 228, 159, 224, 255, 159, 224,
                117, 159, 629,
            ]
        ),
        (
            "\u{1F642}\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467} ok",
            [
                628, 172, 253, 247, 224, 172, 253, 239, 102, 158, 222, 235, 172, 253, 239, 102, 158, 222, 235, 172, 253,
                239, 356, 629,
            ]
        ),
        ("!!! ??? ...,", [628, 0, 0, 256, 30, 30, 286, 13, 13, 13, 267, 629]),
        ("a cat!", [628, 320, 66, 64, 339, 256, 629]),
        (
            String(repeating: "x", count: 300),
            [628, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 87, 629]
        ),
        (
            String(repeating: "red ", count: 40),
            [
                628, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569, 569,
                569, 569, 629,
            ]
        ),
        ("<|endoftext|> in text", [628, 629, 72, 333, 83, 68, 87, 339, 629]),
        ("<|STARTOFTEXT|>", [628, 27, 347, 535, 518, 83, 78, 69, 83, 68, 87, 339, 91, 285, 629]),
        ("a<|startoftext|>!b", [628, 320, 628, 256, 321, 629]),
        (
            "\u{130}stanbul \u{3A3}\u{391}\u{3A3} \u{DF}",
            [628, 328, 136, 485, 535, 512, 65, 84, 331, 139, 225, 138, 109, 139, 481, 127, 509, 629]
        ),
        ("a\u{A0}b\u{3000}c\u{200B}d", [628, 320, 321, 322, 158, 222, 489, 323, 629]),
        ("don't!'s", [628, 67, 614, 6, 339, 0, 262, 338, 629]),
        ("e\u{301}\u{327}\u{301}", [628, 132, 358, 136, 223, 136, 479, 629]),
        ("a_b-c#d@e", [628, 320, 318, 321, 268, 322, 258, 323, 287, 324, 629]),
        ("\u{85}x\u{1C}y", [628, 343, 472, 344, 629]),
    ]

    @Test(arguments: table)
    func tinyModel(text: String, expected: [Int]) throws {
        let encoding = try CLIPTokenizer(folder: Self.folder).encode(text)
        #expect(encoding.ids == expected + Array(repeating: 629, count: 24 - expected.count))
    }

    @Test func truncationIsReported() throws {
        let tokenizer = try CLIPTokenizer(folder: Self.folder)
        let fits = tokenizer.encode(String(repeating: "red ", count: 22))
        let over = tokenizer.encode(String(repeating: "red ", count: 23))
        #expect(!fits.isTruncated && over.isTruncated)
        #expect(fits.ids == over.ids)
    }

    /// With "!" as padding, as Stable Diffusion 2 has it, an exclamation mark in the text is that token too.
    static let paddedWithExclamationMarks: [(String, [Int])] = [
        ("a cat!", [628, 320, 66, 64, 339, 0, 629, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("!!! ??? ...,", [628, 0, 0, 0, 30, 30, 286, 13, 13, 13, 267, 629, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("a<|startoftext|>!b", [628, 320, 628, 0, 321, 629, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ]

    @Test(arguments: paddedWithExclamationMarks)
    func theMapOfSpecialTokensCounts(text: String, expected: [Int]) throws {
        let copy = FileManager.default.temporaryDirectory.appending(path: "tokenizer-\(UUID())")
        try FileManager.default.copyItem(at: Self.folder, to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        try Data(#"{"pad_token": "!", "bos_token": {"content": "<|startoftext|>"}}"#.utf8)
            .write(to: copy.appending(path: "special_tokens_map.json"))
        #expect(try CLIPTokenizer(folder: copy).encode(text).ids == expected)
    }

    @Test(arguments: ["vocab.json", "merges.txt"])
    func aMissingFileIsNamed(name: String) throws {
        let copy = FileManager.default.temporaryDirectory.appending(path: "tokenizer-\(UUID())")
        try FileManager.default.copyItem(at: Self.folder, to: copy)
        defer { try? FileManager.default.removeItem(at: copy) }
        try FileManager.default.removeItem(at: copy.appending(path: name))
        let error = try #require(throws: ModelError.self) { try CLIPTokenizer(folder: copy) }
        #expect(error.code == .missingFile && error.path.hasSuffix(name))
    }
}
