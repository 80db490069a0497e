package import CorpusStore

/// The i-th of n parts of a list of prompts, as `--part i/n` under a scheduler's array job.
package struct Part: Equatable, Sendable, CustomStringConvertible {
    /// Counted from 1.
    package let index: Int
    package let count: Int

    package static let all = Part(index: 1, count: 1)

    package init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    /// - Returns: nil for what is not of the form `i/n` with i from 1 to n.
    package init?(_ text: String) {
        let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let index = numbers[0], let count = numbers[1], 1...max(count, 1) ~= index, count >= 1
        else { return nil }
        self.init(index: index, count: count)
    }

    /// Whether the element at a place of a list belongs to the part.
    package func has(place: Int) -> Bool { place % count == index - 1 }

    /// Whether a sample belongs to the part: by its digest, so that parts stay what they are while the corpus grows.
    package func has(id: Digest) -> Bool { count == 1 || id.leading60Bits % UInt64(count) == UInt64(index - 1) }

    package var description: String { "\(index)/\(count)" }

    /// Every n-th element, from the i-th on; the parts of a list are disjoint and cover it.
    package func of<Element>(_ elements: [Element]) -> [Element] {
        stride(from: index - 1, to: elements.count, by: count).map { elements[$0] }
    }
}
