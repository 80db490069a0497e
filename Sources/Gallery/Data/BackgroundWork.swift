import Foundation
import Synchronization
import Workflows

/// What takes longer than a page may: done once for all who ask, in a thread of its own, while pages say how far it is.
package final class BackgroundWork<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    package enum State: Sendable {
        case making(done: Int, of: Int)
        case ready(Value)
        case failed(any Error)
    }

    private struct Memory {
        var ready: Recent<Key, Value>
        var making: [Key: WorkProgress] = [:]
        var failed: [Key: any Error] = [:]
    }

    private let memory: Mutex<Memory>

    /// - Parameter most: results that are held.
    package init(most: Int) { memory = Mutex(Memory(ready: Recent(most: most))) }

    /// A result, or how far it is. One that is not there begins to be made; one that failed is tried again the next time.
    ///
    /// - Parameters:
    ///   - key: what the result is of.
    ///   - patience: seconds that are waited for it.
    ///   - make: gives nil where it was stopped.
    package func state(
        _ key: Key, patience: Double = 1.5, _ make: @escaping @Sendable (WorkProgress) throws -> Value?
    ) -> State {
        let end = ContinuousClock.now + .seconds(patience)
        while true {
            let progress = WorkProgress()
            let found = memory.withLock { memory -> State? in
                if let value = memory.ready[key] { return .ready(value) }
                if let error = memory.failed.removeValue(forKey: key) { return .failed(error) }
                if let progress = memory.making[key] { return .making(done: progress.done, of: progress.total) }
                memory.making[key] = progress
                return nil
            }
            switch found {
            case nil: begin(key, progress, make)
            case .making? where ContinuousClock.now < end: Thread.sleep(forTimeInterval: 0.01)
            case let found?: return found
            }
        }
    }

    private func begin(
        _ key: Key, _ progress: WorkProgress, _ make: @escaping @Sendable (WorkProgress) throws -> Value?
    ) {
        Thread.detachNewThread { [self] in
            let outcome = Result { try make(progress) }
            memory.withLock { memory in
                memory.making[key] = nil
                switch outcome {
                case .success(let value?): memory.ready[key] = value
                case .success(nil): break
                case .failure(let error): memory.failed[key] = error
                }
            }
            // Such work takes much more memory than its result.
            HeapMemory.giveBack()
        }
    }
}

/// How far work is; asked to end by nobody.
package final class WorkProgress: WorkMonitor, Sendable {
    private let counts = Mutex<(done: Int, total: Int)>((0, 0))

    package var done: Int { counts.withLock { $0.done } }
    package var total: Int { counts.withLock { $0.total } }
    package func begin(total: Int) { counts.withLock { $0 = (0, total) } }
    package func update(_ done: Int) { counts.withLock { $0.done = done } }
    package var isCancelled: Bool { false }
    package func warn(_ line: String) {}
}
