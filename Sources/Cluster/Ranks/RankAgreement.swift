/// What all ranks must have in common before they train together.
///
/// Ranks that differ would compute different bits, or wait for each other forever.
package struct RankAgreement: Sendable, Equatable {
    /// One property: its name in messages, and this rank's value.
    package struct Property: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
    }

    package let properties: [Property]

    package init(_ properties: [Property]) { self.properties = properties }

    /// Compares with the other ranks; all of them call it, and all of them throw.
    ///
    /// - Throws: ``RankError`` that names what differs and where.
    package func check(_ group: any RankGroup) throws(RankError) {
        let fields = properties.flatMap { [$0.name, $0.value] }
        let all = try group.gather(Array(fields.joined(separator: "\0").utf8)).map { bytes in
            String(decoding: bytes, as: UTF8.self).split(separator: "\0", omittingEmptySubsequences: false).map(
                String.init)
        }
        if let problem = Self.problem(all) { throw RankError(problem) }
    }

    /// - Parameter ranks: of each rank names and values in turn.
    static func problem(_ ranks: [[String]]) -> String? {
        guard let first = ranks.first else { return nil }
        for (rank, fields) in ranks.enumerated().dropFirst() {
            guard fields.count == first.count else {
                return "ranks 0 and \(rank) are different versions of attune: install one version on every host"
            }
            for place in stride(from: 0, to: fields.count - 1, by: 2)
            where fields[place...place + 1] != first[place...place + 1] {
                return "rank \(rank) has \(first[place]) \(fields[place + 1]), rank 0 has \(first[place + 1]): "
                    + "ranks must have the same, or their adapter would not be that of one process"
            }
        }
        return nil
    }
}
