import Foundation
import Testing
import attune

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

    @Test func namesTheLineThatIsNotText() {
        let data = Data("a star\n".utf8) + Data([0x61, 0xFF, 0x0A])
        #expect(throws: PromptFileError.invalidText(path: "p", line: 2)) { try PromptFile.parse(data, path: "p") }
    }
}
