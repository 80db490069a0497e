import Testing
import Workflows

@Suite struct TableTests {
    @Test func everyColumnButTheLastIsPadded() {
        let table = Table(columns: ["a", "bb", "c"], rows: [["111", "2", "3"], ["1", "", "33"]])
        #expect(table.text == "a    bb  c\n111  2   3\n1        33")
    }

    @Test func linesAreJoined() { #expect(joinedLines(" one\r\n\n  two \u{2028}three") == "one two three") }

    @Test(arguments: [
        (1, "1 bytes"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (256 << 20, "256 MiB"),
        (3 << 30, "3 GiB"),
    ])
    func sizesAreRounded(bytes: Int, text: String) { #expect(ByteSize(bytes: bytes).description == text) }
}
