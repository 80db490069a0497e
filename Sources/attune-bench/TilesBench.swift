import ArgumentParser
import Synchronization
import Tensors

/// Into how many tiles the layers of SD-2.1 are cut, and what that leaves of many cores: the table of docs/scale.md.
struct TilesBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tiles",
        abstract:
            "A table of the layers of SD-2.1 at 64×64 latents, batch 2: tiles and a bound on efficiency by threads.",
        discussion: """
            Each layer is computed on one thread, cut as for so many threads. The bound is what remains if a job takes as \
            many rounds of its tiles as the threads need, and what is no job (a layer's serial rest) is done by one thread; \
            memory bandwidth and waking are not in it.
            """)

    @Option(parsing: .upToNextOption, help: "Numbers of threads.") var threads = [2, 8, 16, 32, 64]

    func run() throws {
        Parallel.use(threads: 1)
        let heads = threads.map { "\($0)" }.joined(separator: " | ")
        print("| layer | ms, one thread | tiles at \(heads) threads | bound at \(heads) threads |")
        print(
            "|---|---|\(threads.map { _ in "---" }.joined(separator: "|"))|\(threads.map { _ in "---" }.joined(separator: "|"))|"
        )
        let draws = CounterGenerator(seed: 1, stream: 1)
        for (rows, inputs, outputs) in [
            (8192, 320, 320), (8192, 320, 2560), (8192, 1280, 320), (2048, 640, 640), (2048, 640, 5120),
            (2048, 2560, 640),
            (512, 1280, 1280), (512, 1280, 10240), (512, 5120, 1280), (128, 1280, 1280), (154, 1024, 320),
            (154, 1024, 1280),
        ] {
            let (x, weight) = (draws.normal([rows, inputs]), PreparedLinear(draws.normal([outputs, inputs])))
            tell("linear \(rows)×\(inputs)→\(outputs)") { _ = linear(x, weight) }
        }
        for (side, inputs, outputs, stride) in [
            (64, 320, 320, 1), (64, 960, 320, 1), (64, 320, 320, 2), (32, 640, 640, 1), (32, 1920, 640, 1),
            (32, 640, 640, 2),
            (16, 1280, 1280, 1), (16, 2560, 1280, 1), (8, 1280, 1280, 1), (8, 2560, 1280, 1),
        ] {
            let x = draws.normal([2, side, side, inputs])
            let weight = PreparedConvolution(draws.normal([outputs, inputs, 3, 3]))
            tell("convolution \(side)²×\(inputs)→\(outputs)\(stride > 1 ? ", stride \(stride)" : "")") {
                _ = conv2d(x, weight, stride: stride, padding: .uniform(1))
            }
        }
        for (queries, keys, channels) in [
            (4096, 4096, 320), (4096, 77, 320), (1024, 1024, 640), (1024, 77, 640), (256, 256, 1280), (256, 77, 1280),
            (64, 64, 1280),
        ] {
            let (q, k) = (draws.normal([2, queries, channels]), draws.normal([2, keys, channels]))
            tell("attention \(queries)×\(keys), \(channels) channels") { _ = attention(q, k, k, heads: channels / 64) }
        }
    }

    private struct Job {
        let tiles: Int
        let seconds: Double
    }

    private func tell(_ layer: String, _ body: () -> Void) {
        var (tiles, bounds): ([String], [String]) = ([], [])
        var once = 0.0
        for count in threads {
            Parallel.cut(forThreads: count)
            body()
            let jobs = Jobs()
            Parallel.observe { tiles, seconds in
                jobs.all.withLock { $0.append(Job(tiles: tiles, seconds: seconds)) }
            }
            let whole = times(1, body)[0]
            Parallel.observe(nil)
            // `times` runs it once before.
            let all = jobs.all.withLock { Array($0.suffix($0.count / 2)) }
            let rest = max(whole - all.reduce(0) { $0 + $1.seconds }, 0)
            let shared = all.reduce(0) { $0 + $1.seconds / Double($1.tiles) * Double(($1.tiles + count - 1) / count) }
            tiles.append("\(all.max { $0.seconds < $1.seconds }?.tiles ?? 1)")
            bounds.append("\(Int((100 * whole / (Double(count) * (rest + shared))).rounded())) %")
            if count == threads[0] { once = whole }
        }
        Parallel.cut(forThreads: 0)
        let time = (once * 10_000).rounded() / 10
        print("| \(layer) | \(time) | \(tiles.joined(separator: " | ")) | \(bounds.joined(separator: " | ")) |")
    }

    private final class Jobs: Sendable {
        let all = Mutex<[Job]>([])
    }
}
