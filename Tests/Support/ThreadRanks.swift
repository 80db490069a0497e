package import Cluster
import Foundation
import Synchronization

/// Ranks that are threads of this process: what MPIGroup does, without MPI.
package final class ThreadRanks: Sendable {
    private struct State {
        var arrived = 0
        var round = 0
        var boxes: [[UInt8]]
        var result: [[UInt8]] = []
    }

    let size: Int
    private let state: Mutex<State>

    private init(_ size: Int) {
        self.size = size
        state = Mutex(State(boxes: Array(repeating: [], count: size)))
    }

    /// Runs `body` as so many ranks and gives what each returns.
    package static func run<R: Sendable>(_ size: Int, _ body: @escaping @Sendable (ThreadRank) throws -> R) throws
        -> [R]
    {
        let ranks = ThreadRanks(size)
        let results = Mutex<[Int: Result<R, any Error>]>([:])
        let threads = (0..<size).map { rank in
            let done = DispatchSemaphore(value: 0)
            let thread = Thread {
                let result = Result { try body(ThreadRank(ranks, rank)) }
                results.withLock { $0[rank] = result }
                done.signal()
            }
            thread.stackSize = 8 << 20
            thread.start()
            return done
        }
        threads.forEach { $0.wait() }
        return try results.withLock { found in try (0..<size).map { try found[$0]!.get() } }
    }

    func exchange(_ bytes: [UInt8], _ rank: Int) -> [[UInt8]] {
        let round = state.withLock { state in
            state.boxes[rank] = bytes
            state.arrived += 1
            if state.arrived == size {
                (state.arrived, state.result) = (0, state.boxes)
                state.round += 1
                return state.round - 1
            }
            return state.round
        }
        while true {
            if let result = state.withLock({ $0.round > round ? $0.result : nil }) { return result }
            Thread.sleep(forTimeInterval: 0.0001)
        }
    }
}

package struct ThreadRank: RankGroup {
    private let ranks: ThreadRanks
    package let rank: Int
    package var size: Int { ranks.size }

    init(_ ranks: ThreadRanks, _ rank: Int) { (self.ranks, self.rank) = (ranks, rank) }

    package func barrier() { _ = gather([]) }

    package func gather(_ bytes: [UInt8]) -> [[UInt8]] { ranks.exchange(bytes, rank) }

    package func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] { gather(rank == root ? bytes : [])[root] }

    package func scatter(_ values: [Float], bounds: [Int], from root: Int) -> [Float] {
        Array(floats(broadcast(Self.bytes(values), from: root))[bounds[rank]..<bounds[rank + 1]])
    }

    package func join(_ slice: [Float], bounds: [Int]) -> [Float] { gather(Self.bytes(slice)).flatMap(floats) }

    package func abort(_ status: Int32) { fatalError("a rank ends with \(status)") }

    private static func bytes(_ values: [Float]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

    private func floats(_ bytes: [UInt8]) -> [Float] {
        bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { bytes.loadUnaligned(fromByteOffset: $0, as: Float.self) }
        }
    }
}
