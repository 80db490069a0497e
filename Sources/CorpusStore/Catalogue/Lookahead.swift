import DiskAccess
import Foundation
import Synchronization

/// Works some items off on all cores ahead of one consumer, which takes the results in order.
enum Lookahead {
    private final class Slot<Value: Sendable>: Sendable {
        private let isReady = DispatchSemaphore(value: 0)
        private let value = Mutex<Value?>(nil)

        func put(_ result: Value) {
            value.withLock { $0 = result }
            isReady.signal()
        }

        func take() -> Value? {
            isReady.wait()
            return value.withLock { $0.take() }
        }
    }

    /// - Parameters:
    ///   - work: done for each item, on any thread.
    ///   - use: given each result with the number of those used, this one included.
    static func run<Item: Sendable, Value: Sendable, E: Error>(
        _ items: [Item], _ work: @escaping @Sendable (Item) -> Value, _ use: (Int, Value) throws(E) -> Void
    ) throws(E) {
        // Work on other threads fails where a test wants it to.
        let plan = Faults.plan
        let ahead = ProcessInfo.processInfo.activeProcessorCount + 1
        var slots: [Slot<Value>] = []
        var started = 0
        for index in items.indices {
            while started < items.count, started <= index + ahead {
                let (slot, item) = (Slot<Value>(), items[started])
                DispatchQueue.global().async { Faults.$plan.withValue(plan) { slot.put(work(item)) } }
                slots.append(slot)
                started += 1
            }
            if let value = slots[index].take() { try use(index + 1, value) }
        }
    }
}
