import CKernels

/// Doubles height and width by repeating pixels: `[N, H, W, C]` → `[N, 2H, 2W, C]`.
package func upsampleNearest2x(_ x: Tensor) -> Tensor {
    precondition(x.shape.count == 4, "upsampling takes images, not \(x.shape)")
    if let backend = x.backend {
        return Tensor(value: backend.upsampled2x(x), parents: [x]) { [backend.upsampled2xVJP($0)] }
    }
    let (lines, width, channels) = (x.shape[0] * x.shape[1], x.shape[2], x.channels)
    let out = Output([x.shape[0], 2 * x.shape[1], 2 * width, channels])
    let line = width * channels
    Parallel.rows(lines, width: 4 * line) { range in
        ck_upsample2x(
            x.pointer + range.lowerBound * line, out.pointer + range.lowerBound * 4 * line, range.count,
            Int32(width), Int32(channels))
    }
    return Tensor(value: out.tensor, parents: [x]) { [shape = x.shape] gradient in
        let out = Output(shape)
        Parallel.rows(lines, width: 4 * line) { range in
            ck_upsample2x_vjp(
                gradient.pointer + range.lowerBound * 4 * line, out.pointer + range.lowerBound * line, range.count,
                Int32(width), Int32(channels))
        }
        return [out.tensor]
    }
}

/// Puts the channels of `b` after those of `a`: `[…, A]`, `[…, B]` → `[…, A + B]`.
package func concatenateChannels(_ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(a.shape.dropLast() == b.shape.dropLast(), "channels of \(a.shape) and \(b.shape)")
    let (widthA, widthB) = (a.channels, b.channels)
    let width = widthA + widthB
    let value: Tensor
    if let backend = a.backend ?? b.backend {
        value = backend.concatenated([a, b], .channels)
    } else {
        let out = Output(a.shape.dropLast() + [width])
        Parallel.rows(a.rows, width: width) { range in
            copyRows(range, from: a.pointer, widthA, to: out.pointer, width, columns: widthA)
            copyRows(range, from: b.pointer, widthB, to: out.pointer + widthA, width, columns: widthB)
        }
        value = out.tensor
    }
    return Tensor(value: value, parents: [a, b]) { [needsA = a.requiresGradient, needsB = b.requiresGradient] g in
        [
            needsA ? sliceChannels(g, 0..<widthA) : nil,
            needsB ? sliceChannels(g, widthA..<width) : nil,
        ]
    }
}

private func sliceChannels(_ x: Tensor, _ columns: Range<Int>) -> Tensor {
    if let backend = x.backend { return backend.sliced(x, columns, .channels) }
    let out = Output(x.shape.dropLast() + [columns.count])
    Parallel.rows(x.rows, width: columns.count) { range in
        copyRows(
            range, from: x.pointer + columns.lowerBound, x.channels, to: out.pointer, columns.count,
            columns: columns.count)
    }
    return out.tensor
}

private func copyRows(
    _ rows: Range<Int>, from: UnsafePointer<Float>, _ fromStride: Int, to: UnsafeMutablePointer<Float>, _ toStride: Int,
    columns: Int
) {
    for r in rows { (to + r * toStride).update(from: from + r * fromStride, count: columns) }
}

/// Puts batches one after another along the first dimension.
package func concatenateBatch(_ parts: [Tensor]) -> Tensor {
    guard let first = parts.first else { preconditionFailure("concatenation of nothing") }
    let rest = Array(first.shape.dropFirst())
    precondition(parts.allSatisfy { Array($0.shape.dropFirst()) == rest }, "batches of \(parts.map(\.shape))")
    var ranges: [Range<Int>] = []
    for part in parts {
        let start = ranges.last?.upperBound ?? 0
        ranges.append(start..<start + part.shape[0])
    }
    let value: Tensor
    if let backend = parts.lazy.compactMap(\.backend).first {
        value = backend.concatenated(parts, .batch)
    } else {
        let out = Output([parts.reduce(0) { $0 + $1.shape[0] }] + rest)
        var at = 0
        for part in parts {
            (out.pointer + at).update(from: part.pointer, count: part.count)
            at += part.count
        }
        value = out.tensor
    }
    return Tensor(value: value, parents: parts) { [ranges] gradient in ranges.map { gradient.batch($0) } }
}

extension Tensor {
    /// Some of the channels: `[…, C]` → `[…, columns]`.
    package func channels(_ columns: Range<Int>) -> Tensor {
        precondition(columns.upperBound <= channels, "channels \(columns) of \(shape)")
        return Tensor(value: sliceChannels(self, columns), parents: [self]) { [shape, width = channels] gradient in
            if let backend = gradient.backend { return [backend.placed(gradient, at: columns, .channels, of: shape)] }
            let whole = Tensor(zeros: shape)
            copyRows(
                0..<whole.rows, from: gradient.pointer, columns.count, to: whole.storage.pointer + columns.lowerBound,
                width, columns: columns.count)
            return [whole]
        }
    }

    /// A matrix with rows and columns exchanged.
    package var transposed: Tensor {
        precondition(shape.count == 2, "a transpose is of a matrix, not of \(shape)")
        if let backend {
            return Tensor(value: backend.transposed(self), parents: [self]) { [$0.transposed] }
        }
        let (rows, columns) = (shape[0], shape[1])
        let out = Output([columns, rows])
        for row in 0..<rows {
            for column in 0..<columns { out.pointer[column * rows + row] = pointer[row * columns + column] }
        }
        return Tensor(value: out.tensor, parents: [self]) { [$0.transposed] }
    }

    /// The samples of a range of the first dimension.
    package func batch(_ range: Range<Int>) -> Tensor {
        if let backend {
            return Tensor(value: backend.sliced(self, range, .batch), parents: [self]) { [shape] gradient in
                [backend.placed(gradient, at: range, .batch, of: shape)]
            }
        }
        let size = count / max(shape[0], 1)
        let out = Output([range.count] + shape.dropFirst())
        out.pointer.update(from: pointer + range.lowerBound * size, count: out.storage.count)
        return Tensor(value: out.tensor, parents: [self]) { [shape] gradient in
            let whole = Tensor(zeros: shape)
            (whole.storage.pointer + range.lowerBound * size).update(from: gradient.pointer, count: gradient.count)
            return [whole]
        }
    }

    /// Samples of the first dimension in the order of `indices`, which may name one several times.
    package func samples(_ indices: [Int]) -> Tensor {
        let size = count / max(shape[0], 1)
        if backend != nil {
            // Samples are the rows of a table.
            return embedding(reshaped([shape[0], size]), indices.map(Int32.init), shape: [indices.count])
                .reshaped([indices.count] + shape.dropFirst())
        }
        let out = Output([indices.count] + shape.dropFirst())
        for (place, index) in indices.enumerated() {
            (out.pointer + place * size).update(from: pointer + index * size, count: size)
        }
        return Tensor(value: out.tensor, parents: [self]) { [shape] gradient in
            let sum = Tensor(zeros: shape)
            for (place, index) in indices.enumerated() {
                let to = sum.storage.pointer + index * size
                ck_add(to, gradient.pointer + place * size, to, size)
            }
            return [sum]
        }
    }

    /// One sample, or several in a row, over and over: `[n, …]` → `[n·times, …]`.
    package func repeated(_ times: Int) -> Tensor { concatenateBatch(Array(repeating: self, count: times)) }

    /// The same for a batch of `count`, a multiple of this one; as it is where it has that size already.
    package func repeated(toBatch count: Int) -> Tensor {
        precondition(count.isMultiple(of: shape[0]), "a batch of \(shape[0]) does not repeat into one of \(count)")
        return count == shape[0] ? self : repeated(count / shape[0])
    }

    /// Diffusers' channels-first images to ours: `[N, C, H, W]` → `[N, H, W, C]`.
    package var channelsLast: Tensor { permutedImages(from: shape, toChannelsLast: true) }
    /// The inverse: `[N, H, W, C]` → `[N, C, H, W]`.
    package var channelsFirst: Tensor { permutedImages(from: shape, toChannelsLast: false) }

    private func permutedImages(from shape: [Int], toChannelsLast: Bool) -> Tensor {
        precondition(shape.count == 4, "images have four dimensions, not \(shape)")
        if let backend {
            return Tensor(value: backend.permutedImages(self, toChannelsLast: toChannelsLast), parents: [self]) {
                [toChannelsLast ? $0.channelsFirst : $0.channelsLast]
            }
        }
        let (n, a, b, c) = (shape[0], shape[1], shape[2], shape[3])
        let (rows, columns) = toChannelsLast ? (a, b * c) : (a * b, c)
        let out = Output(toChannelsLast ? [n, b, c, a] : [n, c, a, b])
        for image in 0..<n {
            let (from, to) = (pointer + image * rows * columns, out.pointer + image * rows * columns)
            for r in 0..<rows { for k in 0..<columns { to[k * rows + r] = from[r * columns + k] } }
        }
        return Tensor(value: out.tensor, parents: [self]) { gradient in
            [toChannelsLast ? gradient.channelsFirst : gradient.channelsLast]
        }
    }
}
