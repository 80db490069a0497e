import CKernels
import COpenBLAS
import Synchronization

/// The one pool of threads that every op shares.
///
/// OpenBLAS is held to one thread a call: its own threads would wait for each other behind one lock, while tiles of our
/// own keep all cores busy through a whole op. How sums are split depends on shapes only, never on the number of
/// threads, so that results do not either; into how many tiles the values of a result are cut may (`pieces`).
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

    /// So many tiles are enough for up to eight threads: the last one keeps nobody waiting for long.
    static let fewTiles = 16

    /// Into how many pieces each of `count` tiles of a result is to be cut, so that each thread has two tiles: one for up to eight
    /// threads. Values that are summed must stay in one piece.
    ///
    /// - Parameter most: what a tile can be cut into and still be worth a thread's while.
    static func pieces(_ count: Int, most: Int) -> Int {
        let assumed = assumedThreads.load(ordering: .relaxed)
        let wanted = 2 * (assumed > 0 ? assumed : threads)
        guard wanted > fewTiles, count > 0 else { return 1 }
        return max(min((wanted + count - 1) / count, most), 1)
    }

    /// For measurements and tests: work is cut as for so many threads, whatever there are.
    ///
    /// - Parameter count: 0 for those that there are.
    package static func cut(forThreads count: Int) { assumedThreads.store(count, ordering: .relaxed) }
    private static let assumedThreads = Atomic<Int>(0)

    /// For measurements: told of each job how many tiles it had and how many seconds it took.
    private static let observer = Mutex<(@Sendable (Int, Double) -> Void)?>(nil)
    private static let isObserved = Atomic<Bool>(false)
    package static func observe(_ tell: (@Sendable (_ tiles: Int, _ seconds: Double) -> Void)?) {
        observer.withLock { $0 = tell }
        isObserved.store(tell != nil, ordering: .relaxed)
    }

    /// Calls `body` for every index below `count`, on all cores, and returns when all are done.
    package static func forEach(_ count: Int, _ body: (Int) -> Void) {
        _ = ready
        if isObserved.load(ordering: .relaxed), ck_parallel_inside() == 0 {
            let clock = ContinuousClock()
            let seconds = clock.measure { share(count, body) } / .seconds(1)
            observer.withLock { $0 }?(count, seconds)
            return
        }
        share(count, body)
    }

    private static func share(_ count: Int, _ body: (Int) -> Void) {
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
