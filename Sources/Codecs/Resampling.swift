import Foundation

/// Changes the size of RGB images by Lanczos filtering, the rows first, as Pillow's LANCZOS does.
package enum Resampling {
    /// - Parameter pixels: `3·width·height` values.
    package static func resize(
        _ pixels: [UInt8], width: Int, height: Int, to newWidth: Int, _ newHeight: Int
    ) -> [UInt8] {
        precondition(pixels.count == 3 * width * height, "\(pixels.count) values for \(width)×\(height) pixels")
        if width == newWidth, height == newHeight { return pixels }
        let columns = Kernel.all(from: width, to: newWidth)
        let rows = Kernel.all(from: height, to: newHeight)
        var between = [UInt8](repeating: 0, count: 3 * newWidth * height)
        for y in 0..<height {
            for (x, kernel) in columns.enumerated() {
                for channel in 0..<3 {
                    var sum: Float = 0
                    for (index, weight) in kernel.weights.enumerated() {
                        sum += weight * Float(pixels[3 * (y * width + kernel.start + index) + channel])
                    }
                    between[3 * (y * newWidth + x) + channel] = rounded(sum)
                }
            }
        }
        var out = [UInt8](repeating: 0, count: 3 * newWidth * newHeight)
        let stride = 3 * newWidth
        var sums = [Float](repeating: 0, count: stride)
        for (y, kernel) in rows.enumerated() {
            for index in sums.indices { sums[index] = 0 }
            for (row, weight) in kernel.weights.enumerated() {
                let start = (kernel.start + row) * stride
                for index in 0..<stride { sums[index] += weight * Float(between[start + index]) }
            }
            for index in 0..<stride { out[y * stride + index] = rounded(sums[index]) }
        }
        return out
    }

    /// The middle of an image.
    package static func crop(_ pixels: [UInt8], width: Int, height: Int, to newWidth: Int, _ newHeight: Int) -> [UInt8]
    {
        precondition(newWidth <= width && newHeight <= height, "a crop is not larger than its image")
        let (left, top) = ((width - newWidth) / 2, (height - newHeight) / 2)
        var out: [UInt8] = []
        out.reserveCapacity(3 * newWidth * newHeight)
        for y in top..<top + newHeight {
            out += pixels[3 * (y * width + left)..<3 * (y * width + left + newWidth)]
        }
        return out
    }

    private static func rounded(_ value: Float) -> UInt8 { UInt8(min(max(value + 0.5, 0), 255)) }

    /// What one output value takes from which inputs.
    private struct Kernel {
        let start: Int
        let weights: [Float]

        /// For each output value; when shrinking, the filter widens so that every input counts.
        static func all(from count: Int, to newCount: Int) -> [Kernel] {
            let scale = Double(count) / Double(newCount)
            let stretch = max(scale, 1)
            let support = 3 * stretch
            return (0..<newCount).map { index in
                let center = (Double(index) + 0.5) * scale
                let start = max(Int(center - support + 0.5), 0)
                let end = min(Int(center + support + 0.5), count)
                let weights = (start..<max(end, start + 1)).map { lanczos((Double($0) - center + 0.5) / stretch) }
                let sum = weights.reduce(0, +)
                return Kernel(start: start, weights: weights.map { Float($0 / sum) })
            }
        }

        private static func lanczos(_ x: Double) -> Double {
            guard abs(x) < 3 else { return 0 }
            return sinc(x) * sinc(x / 3)
        }

        private static func sinc(_ x: Double) -> Double {
            if x == 0 { return 1 }
            return sin(.pi * x) / (.pi * x)
        }
    }
}
