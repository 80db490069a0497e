import Foundation

/// Merge rules by rank, the first the strongest.
struct BytePairMerges: Sendable {
    private struct Pair: Hashable, Sendable {
        let left, right: String
    }

    private let ranks: [Pair: Int]

    /// - Parameter pairs: the two halves of each merge, the strongest first.
    init(_ pairs: [[String]]) {
        var ranks: [Pair: Int] = [:]
        for halves in pairs { ranks[Pair(left: halves[0], right: halves[1])] = ranks.count }
        self.ranks = ranks
    }

    /// The merges that a file lists.
    static func pairs(_ url: URL) throws(ModelError) -> [[String]] {
        let data = try ModelFile.read(url)
        if let foreign = ModelFile.foreignContent(data) { throw ModelError(.malformedFile, at: url.path, foreign) }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ModelError(.malformedFile, at: url.path, "is not UTF-8")
        }
        var pairs: [[String]] = []
        for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#version") {
            let parts = line.split(separator: " ")
            guard parts.count == 2 else {
                throw ModelError(
                    .malformedFile, at: url.path,
                    "has the line '\(line.prefix(60))', which is not a merge of two")
            }
            pairs.append([String(parts[0]), String(parts[1])])
        }
        return pairs
    }

    /// Joins the strongest neighboring pair again and again; the last symbol carries the end-of-word mark.
    func apply(_ symbols: [String]) -> [String] {
        guard let last = symbols.last else { return [] }
        var parts = Array(symbols.dropLast()) + [last + "</w>"]
        while parts.count > 1 {
            var best: (rank: Int, pair: Pair)?
            for (left, right) in zip(parts, parts.dropFirst()) {
                let pair = Pair(left: left, right: right)
                if let rank = ranks[pair], rank < best?.rank ?? .max { best = (rank, pair) }
            }
            guard let pair = best?.pair else { break }
            var joined: [String] = []
            var index = parts.startIndex
            while index < parts.endIndex {
                if index + 1 < parts.endIndex, parts[index] == pair.left, parts[index + 1] == pair.right {
                    joined.append(pair.left + pair.right)
                    index += 2
                } else {
                    joined.append(parts[index])
                    index += 1
                }
            }
            parts = joined
        }
        return parts
    }
}

/// GPT-2's alphabet: one visible character for each byte.
enum ByteAlphabet {
    private static let symbols: [String] = {
        var next: UInt32 = 256
        return (0..<256).map { byte in
            let visible = (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            let value = visible ? UInt32(byte) : next
            if !visible { next += 1 }
            return Unicode.Scalar(value).map { String(Character($0)) } ?? ""
        }
    }()

    static func spell(_ word: String) -> [String] { word.utf8.map { symbols[Int($0)] } }
}
