package import CorpusStore
import Tensors

/// One element of a run's data: which sample, and which draws of noise and timestep belong to it.
package struct StreamEntry: Sendable, Hashable {
    /// The sample's place in the run, over all epochs.
    package let index: Int
    package let id: Digest
    /// The pass over the selection that it belongs to.
    package var epoch = 0
}

/// The order in which a run meets its samples: a seeded permutation each epoch.
///
/// Entry i depends on the seed and on the selections of the epochs before it only, so batch size, threads, prefetching
/// and restarts change nothing.
package struct SampleStream: Sendable {
    package let seed: UInt64
    package private(set) var position: StreamPosition
    /// The present epoch's samples in reading order; nil until the epoch's selection is asked for.
    private var order: [Digest]?

    package init(seed: UInt64, position: StreamPosition = StreamPosition()) {
        self.seed = seed
        self.position = position
    }

    /// Takes the next `count` entries.
    ///
    /// - Parameters:
    ///   - count: of entries, at most.
    ///   - samples: gives an epoch's sample ids; called once per epoch, when its first sample is needed, and once after
    ///     a restart. An epoch without samples ends the taking early.
    package mutating func take<E: Error>(
        _ count: Int, samples: (_ epoch: Int) throws(E) -> [Digest]
    ) throws(E) -> [StreamEntry] {
        var entries: [StreamEntry] = []
        entries.reserveCapacity(count)
        while entries.count < count {
            let order: [Digest]
            if let known = self.order {
                order = known
            } else {
                order = Self.shuffled(try samples(position.epoch), seed: seed, epoch: position.epoch)
                self.order = order
            }
            guard !order.isEmpty else { break }
            guard position.offset < order.count else {
                position.epoch += 1
                position.offset = 0
                self.order = nil
                continue
            }
            entries.append(StreamEntry(index: position.consumed, id: order[position.offset], epoch: position.epoch))
            position.offset += 1
            position.consumed += 1
        }
        return entries
    }

    /// The ids that come next, or `after` so many, as far as they are known: the next epoch may have another selection.
    package func upcoming(_ count: Int, after skipped: Int = 0) -> [Digest] {
        guard let order else { return [] }
        return Array(order[min(position.offset + skipped, order.count)...].prefix(count))
    }

    /// The ids of an epoch in reading order (Fisher–Yates from the epoch's own counter stream).
    package static func shuffled<ID>(_ ids: [ID], seed: UInt64, epoch: Int) -> [ID] {
        var ids = ids
        let generator = CounterGenerator(seed: seed, stream: DrawPurpose.permutation.stream(UInt64(epoch)))
        for last in stride(from: ids.count - 1, to: 0, by: -1) {
            ids.swapAt(last, generator.integer(UInt64(last), below: last + 1))
        }
        return ids
    }
}
