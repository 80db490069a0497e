// Everything in Tensor that runs on several threads, under the thread sanitizer: Scripts/thread-sanitizer.sh compiles this
// together with the sources of the module.
import Foundation

Parallel.use(threads: 4)
let seconds = CommandLine.arguments.dropFirst().first.flatMap { Double($0) } ?? 5

func normal(_ shape: [Int], _ stream: UInt64) -> Tensor { CounterGenerator(seed: 41, stream: stream).normal(shape) }

/// Weights that all callers share; their Winograd transforms are made when first used, by whoever comes first.
let kernel = PreparedConvolution(normal([32, 32, 3, 3], 1))
let narrow = PreparedConvolution(
    Tensor(shape: [32, 32, 3, 3], values: normal([32, 32, 3, 3], 1).values.map { Float(Float16($0)) }),
    keptAs: .float16)
let weight = PreparedLinear(normal([96, 32], 2))

/// One pass through ops of every kind and back.
@Sendable func pass(_ seed: UInt64) -> Float {
    let x = Tensor.parameter(normal([2, 12, 12, 32], 100 + seed % 3))
    let ones = Tensor.parameter(Tensor(filled: 1, shape: [32]))
    let body: @Sendable ([Tensor]) -> Tensor = { inputs in
        let y = groupNorm(inputs[0], groups: 4, scale: ones, shift: ones, epsilon: 1e-5, activation: .silu)
        let z = conv2d(y, kernel, padding: .uniform(1)) + conv2d(y, narrow, stride: 1, padding: .uniform(1))
        let tokens = z.reshaped([2, 144, 32])
        let mixed = attention(tokens, tokens, tokens, heads: 4)
        return layerNorm(
            linear(mixed, weight), scale: Tensor(filled: 1, shape: [96]), shift: Tensor(zeros: [96]), epsilon: 1e-5)
    }
    let out = checkpoint([x], body)
    let down = conv2d(upsampleNearest2x(x), kernel, stride: 2, padding: .uniform(1))
    let long = attention(normal([1, 40, 32], 5), normal([1, 1100, 32], 6), normal([1, 1100, 32], 7), heads: 2)
    let loss = meanSquaredError(out, Tensor(zeros: out.shape)) + meanSquaredError(down, Tensor(zeros: down.shape))
    return gradients(of: loss, for: [x, ones]).reduce(loss.scalar + long.values[0]) { $0 + $1.values[0] }
}

// The first answer to each seed, before anything runs side by side.
let expected = (0..<UInt64(3)).map { pass($0) }
let end = Date(timeIntervalSinceNow: seconds)
let wrong = (0..<4).map { _ in UnsafeMutablePointer<Int>.allocate(capacity: 1) }
for counter in wrong { counter.initialize(to: 0) }
nonisolated(unsafe) let counters = wrong
// Four callers: one has the pool, the others do their own work, and they take turns.
DispatchQueue.concurrentPerform(iterations: 4) { caller in
    var round = UInt64(caller)
    while Date() < end {
        if caller == 3 {
            // Jobs in jobs, short ones after pauses that let workers fall asleep.
            var sums = [Int](repeating: 0, count: 64)
            sums.withUnsafeMutableBufferPointer { buffer in
                nonisolated(unsafe) let sums = buffer
                Parallel.forEach(64) { index in
                    Parallel.forEach(3) { inner in sums[index] += inner }
                }
            }
            if sums.contains(where: { $0 != 3 }) { counters[caller].pointee += 1 }
            usleep(round % 5 == 0 ? 3000 : 50)
        } else if pass(round % 3) != expected[Int(round % 3)] {
            counters[caller].pointee += 1
        }
        round += 1
    }
}
let failures = counters.reduce(0) { $0 + $1.pointee }
print("\(Parallel.threads) threads, 4 callers, \(seconds) s: \(failures) wrong results")
exit(failures == 0 ? 0 : 1)
