import Foundation
import Testing
import Workflows

@Suite struct PromptFileTests {
    private func parse(_ text: String) throws -> [String] {
        try PromptFile.parse(Data(text.utf8), path: "prompts.txt")
    }

    @Test func readsOnePromptALine() throws {
        #expect(try parse("a red circle\na star\n") == ["a red circle", "a star"])
    }

    @Test func takesCRLFByteOrderMarkAndAMissingLastNewline() throws {
        #expect(try parse("\u{FEFF}a red circle\r\na star") == ["a red circle", "a star"])
    }

    @Test func takesTheTextBeforeATab() throws {
        #expect(try parse("a star\tcolor\t7\n\tonly a category\n") == ["a star"])
    }

    @Test func skipsEmptyLines() throws {
        #expect(try parse("\n\n  \r\na star\n\n") == ["a star"])
    }

    @Test func collapsesRepeatedPrompts() throws {
        #expect(try parse("a star\na cross\na star \n") == ["a star", "a cross"])
    }

    @Test func keepsLongAndForeignPromptsAndTellsNormalFormsApart() throws {
        let long = String(repeating: "a very long prompt ", count: 20) + "end"
        let composed = "caf\u{E9} \u{661F} \u{1F7E5}"
        let decomposed = "cafe\u{301} \u{661F} \u{1F7E5}"
        let prompts = try parse([long, composed, decomposed].joined(separator: "\n"))
        #expect(prompts.map { Array($0.utf8) } == [long, composed, decomposed].map { Array($0.utf8) })
    }

    @Test func takesLineEndsOfOldMacs() throws {
        #expect(try parse("a star\ra cross\r") == ["a star", "a cross"])
        #expect(try parse("a star\r\na cross\r\n") == ["a star", "a cross"])
    }

    @Test(arguments: [
        ("a star\na red circle\0 and a blue star\n", UInt32(0)), ("a\nb\u{7}\n", 7), ("a\nb\u{7F}", 0x7F),
        ("a\nb\u{93}c\n", 0x93), ("a\nb\rc\n", 13),
    ])
    func namesTheLineWithAControlCharacter(text: String, code: UInt32) {
        let error = #expect(throws: PromptFileError.self) { try parse(text) }
        #expect(error == .controlCharacter(path: "prompts.txt", line: 2, code: code))
        #expect(error?.description.contains("save it as UTF-8") == true)
    }

    @Test(arguments: [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian, .utf32])
    func namesOtherEncodings(encoding: String.Encoding) throws {
        let data = try #require("a red circle\na star and a cross\n".data(using: encoding))
        let error = #expect(throws: PromptFileError.self) { try PromptFile.parse(data, path: "p") }
        #expect(error?.description.contains("UTF-8") == true && error?.description.contains("line") == false)
    }

    @Test func aLongLineTakesNoLongerThanItsBytes() throws {
        let begin = ContinuousClock().now
        #expect(try parse(String(repeating: "ab \u{E9}", count: 2_000_000)).count == 1)
        #expect(ContinuousClock().now - begin < .seconds(20))
    }

    @Test func namesTheLineThatIsNotText() {
        let data = Data("a star\n".utf8) + Data([0x61, 0xFF, 0x0A])
        #expect(throws: PromptFileError.invalidText(path: "p", line: 2)) { try PromptFile.parse(data, path: "p") }
    }
}
