import Foundation
import HDF5
import Synchronization

extension Corpus {
    /// Appends shard after shard: while one is compressed, on all cores, those before it are hashed, written and added
    /// to the catalogue. All are in the corpus when this returns.
    ///
    /// - Parameter body: given a function that appends some records as a shard. That function throws what went wrong
    ///   with this shard or with one before it, and nothing is appended after that.
    /// - Throws: what `body` throws, or ``CorpusError``; shards before the failure stay.
    package func appendShards(
        _ body: (_ append: (_ records: [SampleRecord]) throws(CorpusError) -> Void) throws -> Void
    ) throws {
        let pipeline = ShardPipeline(self)
        defer { pipeline.wait() }
        try body { (records) throws(CorpusError) in try pipeline.append(records) }
        try pipeline.finish()
    }
}

private final class ShardPipeline: Sendable {
    private let corpus: Corpus
    private let sealing = OperationQueue()
    /// More shards than one, since much of their time is the disk's; not many, since each is in memory.
    private let capacity = DispatchSemaphore(value: 3)
    private let failure = Mutex<CorpusError?>(nil)

    init(_ corpus: Corpus) { self.corpus = corpus }

    func append(_ records: [SampleRecord]) throws(CorpusError) {
        try check()
        let contents = try ShardWriter.encoded(records)
        capacity.wait()
        sealing.addOperation { [self] in
            defer { capacity.signal() }
            guard failure.withLock({ $0 == nil }) else { return }
            do throws(CorpusError) { try corpus.seal(contents) } catch { failure.withLock { $0 = $0 ?? error } }
        }
    }

    func wait() { sealing.waitUntilAllOperationsAreFinished() }

    func finish() throws(CorpusError) {
        wait()
        try check()
    }

    private func check() throws(CorpusError) {
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
