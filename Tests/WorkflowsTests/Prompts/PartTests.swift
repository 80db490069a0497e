import Testing
import Workflows

@Suite struct PartTests {
    @Test(arguments: ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", "/2"])
    func refuses(_ text: String) {
        #expect(Part(text) == nil)
    }

    @Test func partsAreDisjointAndCover() throws {
        let elements = Array(0..<11)
        let parts = try (1...4).map { try #require(Part("\($0)/4")).of(elements) }
        #expect(parts[0] == [0, 4, 8])
        #expect(parts.flatMap(\.self).sorted() == elements)
    }

    @Test func moreParsThanElementsLeavesSomeEmpty() {
        #expect(Part(index: 3, count: 3).of([1, 2]) == [])
    }
}
