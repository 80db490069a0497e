import Testing
import Workflows

@Suite struct TableTests {
    @Test func everyColumnButTheLastIsPadded() {
        let table = Table(columns: ["a", "bb", "c"], rows: [["111", "2", "3"], ["1", "", "33"]])
        #expect(table.text == "a    bb  c\n111  2   3\n1        33")
    }

    @Test func linesFitATerminalAndNothingElseIsCut() {
        let prompt = String(repeating: "a red circle and ", count: 20)
        let table = Table(
            columns: ["id", "prompt", "mi"],
            rows: [[String(repeating: "0af1", count: 16), prompt, "3.141"], ["b", "short", "-1.000"]])
        let lines = table.text(fitting: 80).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3 && lines.allSatisfy { $0.count <= 80 })
        #expect(lines[0].hasPrefix("id") && lines[0].hasSuffix("mi") && lines[1].hasSuffix("3.141"))
        #expect(lines[1].contains("…") && !lines[2].contains("…"))
        #expect(lines[1].hasPrefix("0af10af1"), "enough of an id to name it")
        // Piped: everything.
        #expect(table.text(fitting: 0).contains(prompt) && !table.text(fitting: 0).contains("…"))
        // As narrow as it goes.
        #expect(table.text(fitting: 5).split(separator: "\n").allSatisfy { $0.count <= 8 + 2 + 8 + 2 + 6 })
    }

    @Test func noCellDrivesTheTerminal() {
        let hostile = "one\ntwo\u{1B}[31m\tred\u{202E}\u{2028}end"
        let text = Table(columns: ["prompt", "n"], rows: [[hostile, "1"], ["ok", "2"]]).text(fitting: 0)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 3)
        #expect(lines[1] == #"one\ntwo\u{1B}[31m\tred\u{202E}\u{2028}end  1"#)
        #expect(lines[2].count == lines[1].count)
    }

    @Test func wideCharactersTakeTwoColumns() {
        let text = Table(columns: ["prompt", "n"], rows: [["赤い円", "1"], ["e\u{301}te", "2"], ["abcdef", "3"]])
            .text(fitting: 0)
        let lines = text.split(separator: "\n")
        #expect(lines[1] == "赤い円  1" && lines[3] == "abcdef  3")
        #expect(lines[2].hasSuffix("    2"))
    }

    @Test func linesAreJoined() { #expect(joinedLines(" one\r\n\n  two \u{2028}three") == "one two three") }

    @Test(arguments: [
        (1, "1 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (256 << 20, "256 MiB"),
        (3 << 30, "3 GiB"),
    ])
    func sizesAreRounded(bytes: Int, text: String) { #expect(ByteSize(bytes: bytes).description == text) }
}
