import Foundation

/// Changes the size of RGB images by filtering, the rows first, as Pillow does.
package enum Resampling {
    /// What an output value takes from its neighbors.
    package enum Filter: Sendable {
        /// Three lobes of a windowed sinc: Pillow's LANCZOS.
        case lanczos
        /// The cubic with a = −0.5: Pillow's BICUBIC.
        case bicubic

        /// How far it reaches, in inputs that are not shrunk.
        fileprivate var support: Double { self == .lanczos ? 3 : 2 }

        fileprivate func callAsFunction(_ x: Double) -> Double {
            guard abs(x) < support else { return 0 }
            switch self {
            case .lanczos: return Self.sinc(x) * Self.sinc(x / 3)
            case .bicubic:
                let (a, x) = (-0.5, abs(x))
                return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a
            }
        }

        private static func sinc(_ x: Double) -> Double {
            if x == 0 { return 1 }
            return sin(.pi * x) / (.pi * x)
        }
    }

    /// A part of a scaled image: columns and rows.
    package struct Window: Equatable, Sendable {
        package let columns, rows: Range<Int>

        package init(columns: Range<Int>, rows: Range<Int>) { (self.columns, self.rows) = (columns, rows) }

        /// The middle of an image of `width`×`height` pixels.
        package init(middleOf width: Int, _ height: Int, width newWidth: Int, height newHeight: Int) {
            precondition(newWidth <= width && newHeight <= height, "a crop is not larger than its image")
            let (left, top) = ((width - newWidth) / 2, (height - newHeight) / 2)
            self.init(columns: left..<left + newWidth, rows: top..<top + newHeight)
        }
    }

    /// Scales an image to `newWidth`×`newHeight` pixels.
    ///
    /// - Parameters:
    ///   - pixels: `3·width·height` values, row by row.
    ///   - width: of the image, in pixels.
    ///   - height: of the image, in pixels.
    ///   - newWidth: of the result, in pixels.
    ///   - newHeight: of the result, in pixels.
    ///   - filter: what it is scaled by.
    ///   - window: the part of the result that is wanted. Only that is computed: the values are those of the whole, the
    ///     cost is the part's.
    /// - Returns: `3·columns·rows` values of the window.
    package static func resize(
        _ pixels: [UInt8], width: Int, height: Int, to newWidth: Int, _ newHeight: Int, filter: Filter = .lanczos,
        window: Window? = nil
    ) -> [UInt8] {
        precondition(pixels.count == 3 * width * height, "\(pixels.count) values for \(width)×\(height) pixels")
        let window = window ?? Window(columns: 0..<newWidth, rows: 0..<newHeight)
        if width == newWidth, height == newHeight { return cut(pixels, width: width, window) }
        switch filter {
        case .lanczos:
            return scale(
                pixels, width: width, Kernels<Float>(filter, from: width, to: newWidth, window.columns) { Float($0) },
                Kernels<Float>(filter, from: height, to: newHeight, window.rows) { Float($0) }, window)
        case .bicubic:
            // Pillow's weights are whole numbers of 2⁻²²: sums of them are exact here, and rounded as there.
            func pillow(_ weight: Double) -> Double { (weight * 0x1p22).rounded() * 0x1p-22 }
            return scale(
                pixels, width: width, Kernels<Double>(filter, from: width, to: newWidth, window.columns, pillow),
                Kernels<Double>(filter, from: height, to: newHeight, window.rows, pillow), window)
        }
    }

    private static func scale<Number: BinaryFloatingPoint>(
        _ pixels: [UInt8], width: Int, _ columns: Kernels<Number>, _ rows: Kernels<Number>, _ window: Window
    ) -> [UInt8] {
        let stride = 3 * window.columns.count
        // Rows that are scaled sideways, as many as one row of the result needs; row y is at y modulo their number.
        let kept = rows.longest
        var between = [UInt8](repeating: 0, count: kept * stride)
        var sums = [Number](repeating: 0, count: stride)
        var next = rows.starts.first ?? 0
        return [UInt8](unsafeUninitializedCapacity: stride * window.rows.count) { out, count in
            for index in window.rows.indices {
                let row = index - window.rows.startIndex
                let (start, weights) = (rows.starts[row], rows.weights(row))
                next = max(next, start)
                while next < start + weights.count {
                    scale(pixels, row: next, width: width, columns, into: &between, at: next % kept * stride)
                    next += 1
                }
                sums.withUnsafeMutableBufferPointer { sums in
                    between.withUnsafeBufferPointer { between in
                        sums.update(repeating: 0)
                        for (offset, weight) in weights.enumerated() {
                            let place = (start + offset) % kept * stride
                            for x in 0..<stride { sums[x] += weight * Number(between[place + x]) }
                        }
                        for x in 0..<stride { out[row * stride + x] = rounded(sums[x]) }
                    }
                }
            }
            count = out.count
        }
    }

    /// One row, scaled sideways.
    private static func scale<Number: BinaryFloatingPoint>(
        _ pixels: [UInt8], row: Int, width: Int, _ kernels: Kernels<Number>, into out: inout [UInt8], at place: Int
    ) {
        pixels.withUnsafeBufferPointer { pixels in
            out.withUnsafeMutableBufferPointer { out in
                kernels.values.withUnsafeBufferPointer { values in
                    for x in kernels.starts.indices {
                        var from = 3 * (row * width + kernels.starts[x])
                        var (red, green, blue) = (Number(0), Number(0), Number(0))
                        for index in kernels.ends[x]..<kernels.ends[x + 1] {
                            let weight = values[index]
                            red += weight * Number(pixels[from])
                            green += weight * Number(pixels[from + 1])
                            blue += weight * Number(pixels[from + 2])
                            from += 3
                        }
                        out[place + 3 * x] = rounded(red)
                        out[place + 3 * x + 1] = rounded(green)
                        out[place + 3 * x + 2] = rounded(blue)
                    }
                }
            }
        }
    }

    /// A part of an image as it is.
    private static func cut(_ pixels: [UInt8], width: Int, _ window: Window) -> [UInt8] {
        if window.columns == 0..<width, 3 * width * window.rows.count == pixels.count { return pixels }
        var out: [UInt8] = []
        out.reserveCapacity(3 * window.columns.count * window.rows.count)
        for y in window.rows {
            out += pixels[3 * (y * width + window.columns.lowerBound)..<3 * (y * width + window.columns.upperBound)]
        }
        return out
    }

    private static func rounded<Number: BinaryFloatingPoint>(_ value: Number) -> UInt8 {
        UInt8(min(max(value + 0.5, 0), 255))
    }

    /// What each output value takes from which inputs, one after the other.
    private struct Kernels<Number: BinaryFloatingPoint> {
        private(set) var starts: [Int] = []
        /// Where each kernel's values begin, and where the last one's end.
        private(set) var ends = [0]
        private(set) var values: [Number] = []
        private(set) var longest = 1

        /// When shrinking, the filter widens so that every input counts.
        init(
            _ filter: Filter, from count: Int, to newCount: Int, _ range: Range<Int>, _ stored: (Double) -> Number
        ) {
            let scale = Double(count) / Double(newCount)
            let stretch = max(scale, 1)
            let support = filter.support * stretch
            for index in range {
                let center = (Double(index) + 0.5) * scale
                let start = max(Int(center - support + 0.5), 0)
                let end = min(Int(center + support + 0.5), count)
                let weights = (start..<max(end, start + 1)).map { filter((Double($0) - center + 0.5) / stretch) }
                let sum = weights.reduce(0, +)
                starts.append(start)
                values += weights.map { stored($0 / sum) }
                ends.append(values.count)
                longest = max(longest, weights.count)
            }
        }

        func weights(_ index: Int) -> ArraySlice<Number> { values[ends[index]..<ends[index + 1]] }
    }
}
