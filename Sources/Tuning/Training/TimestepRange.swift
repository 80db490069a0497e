/// The timesteps that a run trains, both ends included: `600-999`, or one alone.
package struct TimestepRange: Codable, Sendable, Hashable, CustomStringConvertible {
    package let first, last: Int

    package init(_ first: Int, _ last: Int) { (self.first, self.last) = (first, last) }

    /// - Parameter text: `a-b` or `a`.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(parts.count), let first = parts.first ?? nil, let last = parts.last ?? nil,
            first >= 0, last >= first
        else { return nil }
        self.init(first, last)
    }

    package var range: ClosedRange<Int> { first...last }
    package var description: String { "\(first)-\(last)" }
}
