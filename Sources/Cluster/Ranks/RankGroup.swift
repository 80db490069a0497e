/// Processes that train one adapter together, each a rank from 0 on. All ranks make the same calls in the same order.
package protocol RankGroup {
    var rank: Int { get }
    var size: Int { get }

    /// Waits until all ranks are here.
    func barrier() throws(RankError)

    /// The bytes that `root` has, on every rank.
    ///
    /// - Parameters:
    ///   - bytes: looked at on `root` alone.
    ///   - root: the rank that has them.
    func broadcast(_ bytes: [UInt8], from root: Int) throws(RankError) -> [UInt8]

    /// What every rank sends, in the order of the ranks, on every rank.
    func gather(_ bytes: [UInt8]) throws(RankError) -> [[UInt8]]

    /// Of the values that `root` has, to each rank its slice.
    ///
    /// - Parameters:
    ///   - values: looked at on `root` alone.
    ///   - bounds: slice r is from `bounds[r]` to `bounds[r + 1]`.
    ///   - root: the rank that has them.
    func scatter(_ values: [Float], bounds: [Int], from root: Int) throws(RankError) -> [Float]

    /// The slices of all ranks put together, on every rank.
    func join(_ slice: [Float], bounds: [Int]) throws(RankError) -> [Float]

    /// Ends all ranks at once, this one too, where the others would wait for it forever.
    func abort(_ status: Int32)
}

/// Why ranks cannot continue together.
package struct RankError: Error, CustomStringConvertible, Equatable {
    /// One line that says what, where and what to do.
    package let description: String

    package init(_ description: String) { self.description = description }
}
