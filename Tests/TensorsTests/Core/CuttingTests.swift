import Foundation
import Synchronization
import Tensors
import Testing

/// Work is cut finer for many threads, and no value changes: what is summed stays in one piece.
@Suite(.serialized) struct CuttingTests {
    private func normal(_ shape: [Int], _ stream: UInt64) -> Tensor {
        CounterGenerator(seed: 31, stream: stream).normal(shape)
    }

    private final class Counts: Sendable {
        let most = Mutex(0)
    }

    /// The result and the number of tiles of the largest job, cut as for so many threads.
    private func cut(_ threads: Int, _ body: () -> Tensor) -> (values: [Float], tiles: Int) {
        Parallel.cut(forThreads: threads)
        let counts = Counts()
        // Other suites compute at the same time, on threads of their own.
        let thread = UInt(pthread_self())
        Parallel.observe { tiles, _ in
            if UInt(pthread_self()) == thread { counts.most.withLock { $0 = max($0, tiles) } }
        }
        let values = body().values
        Parallel.observe(nil)
        Parallel.cut(forThreads: 0)
        return (values, counts.most.withLock { $0 })
    }

    @Test(arguments: [(512, 320, 1280), (2048, 640, 640), (130, 1100, 1200), (8, 2048, 1024), (1000, 48, 900)])
    func products(shape: (m: Int, n: Int, k: Int)) {
        let x = normal([shape.m, shape.k], 1)
        let weight = PreparedLinear(normal([shape.n, shape.k], 2))
        let body = { linear(x, weight, bias: nil) }
        let few = cut(2, body)
        for threads in [3, 24, 64, 500] {
            let many = cut(threads, body)
            #expect(many.values == few.values, "\(threads) threads")
        }
    }

    @Test(arguments: [(32, 320, 320), (16, 640, 320), (48, 64, 128)])
    func convolutions(shape: (side: Int, inputs: Int, outputs: Int)) {
        let x = normal([2, shape.side, shape.side, shape.inputs], 3)
        let weight = PreparedConvolution(normal([shape.outputs, shape.inputs, 3, 3], 4))
        let body = { conv2d(x, weight, padding: .uniform(1)) }
        let few = cut(2, body)
        for threads in [3, 24, 64, 500] { #expect(cut(threads, body).values == few.values, "\(threads) threads") }
    }

    @Test(.enabled(if: VectorLevel.hasOwnProducts, "OpenBLAS's products stay as they are"))
    func manyThreadsGetMoreTiles() {
        let x = normal([2048, 640], 5)
        let weight = PreparedLinear(normal([640, 640], 6))
        #expect(cut(64, { linear(x, weight) }).tiles >= 100)
        #expect(cut(2, { linear(x, weight) }).tiles == cut(8, { linear(x, weight) }).tiles)
        let image = normal([2, 64, 64, 320], 7)
        let kernel = PreparedConvolution(normal([320, 320, 3, 3], 8))
        #expect(cut(64, { conv2d(image, kernel, padding: .uniform(1)) }).tiles >= 100)
    }

    /// Jobs after jobs, with pauses in which workers fall asleep: none is lost, none is done twice.
    @Test func sleepingWorkersAreWoken() async throws {
        for round in 0..<200 {
            let count = [2, 3, 16, 1000][round % 4]
            let done = Mutex([Int](repeating: 0, count: count))
            Parallel.forEach(count) { index in done.withLock { $0[index] += 1 } }
            #expect(done.withLock { $0.allSatisfy { $0 == 1 } })
            if round % 20 == 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }
}
