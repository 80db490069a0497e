import Foundation
import Synchronization

/// What `body` gives for every index below `count`, each on a thread of its own: for devices, which threads only wait for.
/// Index 0 runs on the caller's.
package func concurrently<T: Sendable>(_ count: Int, _ body: @Sendable (Int) -> T) -> [T] {
    let results = Mutex<[Int: T]>([:])
    withoutActuallyEscaping(body) { body in
        let job = Job { index in
            let made = body(index)
            results.withLock { $0[index] = made }
        }
        withExtendedLifetime(job) {
            // Threads keep what they are given for a while after they end: no reference that counts.
            nonisolated(unsafe) let place = Unmanaged.passUnretained(job).toOpaque()
            let group = DispatchGroup()
            for index in 1..<max(count, 1) {
                group.enter()
                let thread = Thread {
                    Unmanaged<Job>.fromOpaque(place)._withUnsafeGuaranteedRef { $0.body(index) }
                    group.leave()
                }
                thread.stackSize = 8 << 20
                thread.start()
            }
            if count > 0 { job.body(0) }
            group.wait()
        }
    }
    return results.withLock { found in found.sorted { $0.key < $1.key }.map(\.value) }
}

private final class Job: Sendable {
    let body: @Sendable (Int) -> Void
    init(body: @escaping @Sendable (Int) -> Void) { self.body = body }
}
