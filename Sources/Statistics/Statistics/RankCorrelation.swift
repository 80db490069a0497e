/// How alike two scores order the same things.
package enum RankCorrelation {
    /// Places from 1 on, smallest first; equal values share the mean of theirs.
    package static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }

    /// Spearman's ρ: the correlation of the ranks.
    ///
    /// - Returns: nil where one of the two is constant.
    package static func spearman(_ a: [Double], _ b: [Double]) -> Double? {
        precondition(a.count == b.count, "\(a.count) values beside \(b.count)")
        let (first, second) = (ranks(a), ranks(b))
        let middle = Double(a.count + 1) / 2
        var (both, one, other) = (0.0, 0.0, 0.0)
        for (x, y) in zip(first, second) {
            both += (x - middle) * (y - middle)
            one += (x - middle) * (x - middle)
            other += (y - middle) * (y - middle)
        }
        guard one > 0, other > 0 else { return nil }
        return both / (one * other).squareRoot()
    }

    /// Kendall's τ-b, over all pairs: meant for the images of a prompt, not for millions.
    ///
    /// - Returns: nil where one of the two is constant.
    package static func kendall(_ a: [Double], _ b: [Double]) -> Double? {
        precondition(a.count == b.count, "\(a.count) values beside \(b.count)")
        var (balance, one, other) = (0, 0, 0)
        for i in a.indices {
            for j in 0..<i {
                let x = a[i] == a[j] ? 0 : a[i] > a[j] ? 1 : -1
                let y = b[i] == b[j] ? 0 : b[i] > b[j] ? 1 : -1
                balance += x * y
                one += x * x
                other += y * y
            }
        }
        guard one > 0, other > 0 else { return nil }
        return Double(balance) / (Double(one) * Double(other)).squareRoot()
    }
}
