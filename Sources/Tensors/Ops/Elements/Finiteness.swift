import CKernels
import Synchronization

extension Tensor {
    /// The first value that is NaN or infinite, nil where there is none. The look costs one pass over memory, on all cores.
    package var firstNonFinite: Float? {
        guard backend == nil else { return onHost.firstNonFinite }
        let grain = 1 << 18
        let bad = Atomic<Int>(.max)
        Parallel.ranges(count, grain: grain) { range in
            if ck_all_finite(pointer + range.lowerBound, range.count) == 0 {
                bad.min(range.lowerBound, ordering: .relaxed)
            }
        }
        let start = bad.load(ordering: .relaxed)
        guard start < count else { return nil }
        return withValues { values in values[start..<min(start + grain, count)].first { !$0.isFinite } }
    }
}
