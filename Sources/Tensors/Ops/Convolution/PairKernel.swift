import CKernels

/// The kernel of a 2-D convolution as brain floats: panels of pairs (pair_panels.c) of `[kh·kw·in, out]`, rows by tap, then
/// input channel, as im2col has them. A pair is two input channels under one tap.
struct PairKernel: Sendable {
    let outputs, inputs, taps: Int
    private let panels: Tensor
    private let transforms = TransformedKernels()

    /// - Parameter oihw: `[out, in, kh, kw]`, of an even number of input channels.
    init(_ oihw: Tensor) {
        (outputs, inputs) = (oihw.shape[0], oihw.shape[1])
        taps = oihw.shape[2] * oihw.shape[3]
        let (inputs, taps, columns) = (inputs, taps, inputs * taps)
        let buffer = Output([ck_pair_panels_size(columns, outputs)])
        guard taps > 1 else {
            packPairs(
                Matrix(pointer: oihw.pointer, stride: columns, transposed: true), columns, outputs,
                into: buffer.pointer.pairs)
            panels = buffer.tensor
            return
        }
        let outputs = outputs
        Parallel.forEach((outputs + 31) / 32) { panel in
            let (first, width) = (panel * 32, min(32, outputs - panel * 32))
            withScratch(width * columns) { byTap in
                for o in 0..<width {
                    let (from, to) = (oihw.pointer + (first + o) * columns, byTap + o * columns)
                    for tap in 0..<taps { for i in 0..<inputs { to[tap * inputs + i] = from[i * taps + tap] } }
                }
                ck_pair_pack(byTap, columns, 1, columns, width, 0, 1, buffer.pointer.pairs + first * columns / 2)
            }
        }
        panels = withExtendedLifetime(oihw) { buffer.tensor }
    }

    /// Rows of the matrix that im2col's rows are multiplied by.
    var depth: Int { taps * inputs }

    /// As the right-hand side of im2col's rows; valid while `body` runs.
    func withRightHandSide<R>(_ body: (RightHandSide) -> R) -> R {
        withExtendedLifetime(panels) { body(RightHandSide(pairs: panels.pointer.pairs, depth, outputs)) }
    }

    /// Its transpose: from gradients of outputs to those of im2col's rows.
    func withTransposed<R>(_ body: (RightHandSide) -> R) -> R {
        withScratch(ck_pair_panels_size(outputs, depth)) { scratch in
            transposePairs(panels.pointer.pairs, depth, outputs, into: scratch.pairs)
            return body(RightHandSide(pairs: scratch.pairs, outputs, depth))
        }
    }

    /// Winograd's 16 planes of a panel of 32 columns, each `[rows, width]` in pairs.
    ///
    /// - Parameters:
    ///   - plane: distance between planes, in pairs.
    func transform(
        _ panel: Int, _ direction: Winograd.Direction, into out: UnsafeMutablePointer<UInt32>, plane: Int
    ) {
        let pairs = depth / 2
        switch direction {
        case .forward:
            let width = outputs - panel * 32 > 16 ? 32 : 16
            ck_pair_winograd_kernel(
                panels.pointer.pairs + panel * 32 * pairs, inputs / 2 * width, width, inputs / 2, 0, out, plane)
        case .backward:
            // Columns are input channels: each tap's matrix is transposed, and the taps run the other way.
            let width = inputs - panel * 32 > 16 ? 32 : 16
            let size = outputs / 2 * width
            withScratch(9 * size) { rotated in
                for tap in 0..<9 {
                    ck_pair_transpose(
                        panels.pointer.pairs, depth, outputs, tap * inputs + panel * 32, width,
                        rotated.pairs + tap * size)
                }
                ck_pair_winograd_kernel(rotated.pairs, size, width, outputs / 2, 1, out, plane)
            }
        }
    }

    /// All panels' planes, `[16, rows, columns]` in pairs, kept for small kernels; nil for others.
    func keptTransform(_ direction: Winograd.Direction) -> Tensor? {
        guard inputs * outputs <= PathSizes.keptWinogradKernel else { return nil }
        return transforms.get(direction) {
            let planes = Output([16 * inputs * outputs / 2])
            transform(direction, into: planes.pointer.pairs)
            return planes.tensor
        }
    }

    /// All panels' planes into memory for 16·inputs·outputs/2 pairs, on all cores.
    func transform(_ direction: Winograd.Direction, into out: UnsafeMutablePointer<UInt32>) {
        let (rows, columns) = direction == .forward ? (inputs, outputs) : (outputs, inputs)
        nonisolated(unsafe) let out = out
        Parallel.forEach((columns + 31) / 32) { panel in
            transform(panel, direction, into: out + panel * 32 * rows / 2, plane: rows * columns / 2)
        }
    }
}
