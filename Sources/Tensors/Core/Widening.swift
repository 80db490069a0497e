import CKernels

extension Tensor {
    /// Values of 16 bits as float32, in new memory.
    ///
    /// - Parameters:
    ///   - source: the values, which need not be aligned.
    ///   - precision: what they are; float32 is copied.
    ///   - shape: of the result; its product is the number of values.
    package init(widening source: UnsafeRawPointer, of precision: WeightPrecision, shape: [Int]) {
        let out = Output(shape)
        nonisolated(unsafe) let source = source
        Parallel.ranges(out.storage.count, grain: 1 << 16) { range in
            let (to, count) = (out.pointer + range.lowerBound, range.count)
            guard precision != .float32 else {
                UnsafeMutableRawPointer(to).copyMemory(from: source + 4 * range.lowerBound, byteCount: 4 * count)
                return
            }
            let from = source + 2 * range.lowerBound
            func widen(_ halves: UnsafePointer<UInt16>) {
                if precision == .float16 {
                    ck_widen_half(halves, to, count)
                } else {
                    ck_widen_bfloat(halves, to, count)
                }
            }
            guard UInt(bitPattern: from).isMultiple(of: 2) else {
                withScratch((count + 1) / 2) { scratch in
                    let aligned = UnsafeMutableRawPointer(scratch)
                    aligned.copyMemory(from: from, byteCount: 2 * count)
                    widen(UnsafePointer(aligned.assumingMemoryBound(to: UInt16.self)))
                }
                return
            }
            widen(from.assumingMemoryBound(to: UInt16.self))
        }
        self = out.tensor
    }
}
