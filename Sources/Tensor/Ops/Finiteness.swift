import CKernels
import Synchronization

extension Tensor {
    /// The first value that is NaN or infinite, nil where there is none. The look costs one pass over memory, on all cores.
    package var firstNonFinite: Float? {
        withValues { values in
            guard let base = values.baseAddress else { return nil }
            nonisolated(unsafe) let first = base
            let grain = 1 << 18
            let blocks = (values.count + grain - 1) / grain
            let bad = Atomic<Int>(.max)
            Parallel.forEach(blocks) { block in
                let start = block * grain
                if ck_all_finite(first + start, min(grain, values.count - start)) == 0 {
                    bad.min(block, ordering: .relaxed)
                }
            }
            let block = bad.load(ordering: .relaxed)
            guard block < blocks else { return nil }
            return values[block * grain..<min((block + 1) * grain, values.count)].first { !$0.isFinite }
        }
    }
}
