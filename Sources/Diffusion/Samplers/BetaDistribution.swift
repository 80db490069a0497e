import Glibc

/// The beta distribution, for the quantiles that beta sigmas are.
struct BetaDistribution {
    private let a, b: Double

    init(_ a: Double, _ b: Double) { (self.a, self.b) = (a, b) }

    /// The x below which a share `p` of the distribution lies, by bisection: the distribution function is monotonic.
    func quantile(_ p: Double) -> Double {
        if p <= 0 { return 0 }
        if p >= 1 { return 1 }
        var (low, high) = (0.0, 1.0)
        while true {
            let middle = (low + high) / 2
            if middle <= low || middle >= high { return middle }
            if cumulative(middle) < p { low = middle } else { high = middle }
        }
    }

    /// The regularized incomplete beta function I_x(a, b).
    func cumulative(_ x: Double) -> Double {
        if x <= 0 { return 0 }
        if x >= 1 { return 1 }
        let scale = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
        // The continued fraction converges fast on one side of the mean only.
        return x < (a + 1) / (a + b + 2)
            ? scale * Self.fraction(a, b, x) / a : 1 - scale * Self.fraction(b, a, 1 - x) / b
    }

    /// The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method.
    private static func fraction(_ a: Double, _ b: Double, _ x: Double) -> Double {
        func away(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
        var c = 1.0
        var d = 1 / away(1 - (a + b) * x / (a + 1))
        var result = d
        for m in 1..<1000 {
            let m = Double(m)
            let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            d = 1 / away(1 + even * d)
            c = away(1 + even / c)
            result *= d * c
            let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1 / away(1 + odd * d)
            c = away(1 + odd / c)
            let change = d * c
            result *= change
            if abs(change - 1) < 1e-15 { break }
        }
        return result
    }
}
