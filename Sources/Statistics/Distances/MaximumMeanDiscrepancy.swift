import Glibc
import Tensors

/// A squared maximum mean discrepancy, and what each image adds to it.
package struct MaximumMeanDiscrepancy: Sendable {
    package let value: Double
    /// To first order: drawing images again changes the value by the change of these means.
    let influences: [[Double]]

    /// The kernels that are in use.
    enum Kernel: Sendable {
        /// (x·y/d + 1)³, with d the dimensions.
        case cubic(width: Int)
        /// exp(−|x − y|² / 2σ²).
        case gaussian(sigma: Double)
    }

    /// - Parameter isUnbiased: whether an image is not compared with itself.
    init(_ x: DoubleMatrix, _ y: DoubleMatrix, _ kernel: Kernel, isUnbiased: Bool) {
        let (xx, yy) = (Self.ownMeans(x, kernel, isUnbiased), Self.ownMeans(y, kernel, isUnbiased))
        let xy = Self.sums(x, y, kernel).map { $0 / Double(y.rows) }
        let yx = Self.sums(y, x, kernel).map { $0 / Double(x.rows) }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        value = mean(xx) + mean(yy) - 2 * mean(xy)
        influences = [zip(xx, xy).map { 2 * ($0 - $1) }, zip(yy, yx).map { 2 * ($0 - $1) }]
    }

    /// The value alone, which takes half the products between the sets.
    static func value(_ x: DoubleMatrix, _ y: DoubleMatrix, _ kernel: Kernel, isUnbiased: Bool) -> Double {
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        return mean(ownMeans(x, kernel, isUnbiased)) + mean(ownMeans(y, kernel, isUnbiased))
            - 2 * mean(sums(x, y, kernel)) / Double(y.rows)
    }

    /// Of each image, the mean of the kernel with the images of its own set.
    private static func ownMeans(_ x: DoubleMatrix, _ kernel: Kernel, _ isUnbiased: Bool) -> [Double] {
        let sums = sums(x, x, kernel)
        guard isUnbiased else { return sums.map { $0 / Double(x.rows) } }
        return zip(sums, x.squaredNorms).map { sum, square in
            (sum - kernel(square, square, square)) / Double(x.rows - 1)
        }
    }

    private static func sums(_ x: DoubleMatrix, _ y: DoubleMatrix, _ kernel: Kernel) -> [Double] {
        let (xNorms, yNorms) = (x.squaredNorms, y.squaredNorms)
        switch kernel {
        case .cubic(let width):
            let scale = 1 / Double(width)
            return KernelBlocks.rowSums(x, y) { product, _, _ in Kernel.cubic(product * scale) }
        case .gaussian(let sigma):
            let scale = -1 / (2 * sigma * sigma)
            return KernelBlocks.rowSums(x, y) { product, row, column in
                Kernel.gaussian(scale * (xNorms[row] + yNorms[column] - 2 * product))
            }
        }
    }
}

extension MaximumMeanDiscrepancy.Kernel {
    @inline(__always) static func cubic(_ scaled: Double) -> Double {
        let base = scaled + 1
        return base * base * base
    }

    /// - Parameter exponent: rounding may make it positive where two vectors are the same.
    @inline(__always) static func gaussian(_ exponent: Double) -> Double { exp(min(exponent, 0)) }

    /// Of an inner product and the two squared lengths.
    func callAsFunction(_ product: Double, _ x: Double, _ y: Double) -> Double {
        switch self {
        case .cubic(let width): Self.cubic(product / Double(width))
        case .gaussian(let sigma): Self.gaussian(-(x + y - 2 * product) / (2 * sigma * sigma))
        }
    }
}
