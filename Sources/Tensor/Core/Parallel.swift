import CKernels
import COpenBLAS
import Synchronization

/// The one pool of threads that every op shares.
///
/// OpenBLAS is held to one thread a call: its own threads would wait for each other behind one lock, while tiles of our
/// own keep all cores busy through a whole op. How work is split depends on shapes only, never on the number of
/// threads, so that results do not either.
package enum Parallel {
    private static let ready: Void = {
        openblas_set_num_threads(1)
        _ = isCounted
    }()

    /// Tells the pool how many threads there are before it starts.
    private static let isCounted: Void = ck_parallel_set_threads(Int32(chosen.withLock { $0 } ?? Processors.usable))
    private static let chosen = Mutex<Int?>(nil)
    /// Whether somebody has said how many.
    static var isChosen: Bool { chosen.withLock { $0 != nil } }

    /// How many threads compute, the caller's included.
    package static var threads: Int {
        _ = isCounted
        return Int(ck_parallel_threads())
    }

    /// Sets the number of threads, before anything is computed; the default is ``Processors/usable``. Results do not
    /// depend on it.
    package static func use(threads: Int) { chosen.withLock { $0 = threads } }

    /// Calls `body` for every index below `count`, on all cores, and returns when all are done.
    package static func forEach(_ count: Int, _ body: (Int) -> Void) {
        _ = ready
        guard count > 1, ck_parallel_inside() == 0 else {
            for index in 0..<count { body(index) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let job = Job(body: body)
            withExtendedLifetime(job) {
                ck_parallel(count, Unmanaged.passUnretained(job).toOpaque()) { context, index in
                    guard let context else { return }
                    Unmanaged<Job>.fromOpaque(context).takeUnretainedValue().body(index)
                }
            }
        }
    }

    /// The same for a few bodies that are whole computations: side by side where that keeps all cores busy, else one after
    /// another, each on all cores.
    package static func forEachLarge(_ count: Int, _ body: (Int) -> Void) {
        if threads <= count {
            forEach(count, body)
        } else {
            for index in 0..<count { body(index) }
        }
    }

    /// Splits `count` rows into ranges of about `grain` rows (at least one) and runs them on all cores.
    static func ranges(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        let step = max(grain, 1)
        forEach((count + step - 1) / step) { index in
            body(index * step..<min((index + 1) * step, count))
        }
    }

    /// Splits rows of `width` floats so that a range is worth a thread's while and stays in its cache.
    static func rows(_ count: Int, width: Int, _ body: (Range<Int>) -> Void) {
        ranges(count, grain: 16_384 / max(width, 1) + 1, body)
    }
}

private final class Job {
    let body: (Int) -> Void
    init(body: @escaping (Int) -> Void) { self.body = body }
}

/// Which BLAS runs here.
package enum BLAS {
    /// The product of two matrices by OpenBLAS with threads of its own: what the engine's own products are measured by.
    package static func product(_ a: Tensor, _ b: Tensor) -> Tensor {
        let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
        openblas_set_num_threads(Int32(Parallel.threads))
        defer { openblas_set_num_threads(1) }
        let out = Output([m, n])
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a.pointer, blasint(k),
            b.pointer, blasint(n), 0, out.pointer, blasint(n))
        return out.tensor
    }

    /// The kernel set that OpenBLAS chose for this processor, such as "SkylakeX" or "Haswell".
    package static var coreName: String { String(cString: openblas_get_corename()) }
    /// Version and build options of OpenBLAS.
    package static var configuration: String { String(cString: openblas_get_config()) }
}

/// Instruction sets, "x86-64-v4" (AVX-512), "x86-64-v3" (AVX2) or "default".
package enum VectorLevel {
    /// The highest that the processor has.
    package static var processor: String { String(cString: ck_processor_level()) }
    /// What loops and matrix products use: the processor's, unless the environment's `ATTUNE_VECTOR_LEVEL` names a lower
    /// one.
    package static var products: String { String(cString: ck_vector_level()) }
    /// Whether products are Attune's own; they are OpenBLAS's below x86-64-v4.
    package static var hasOwnProducts: Bool { RightHandSide.usesPanels }
}
