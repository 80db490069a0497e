import ArgumentParser
import Tensors

/// What matrix products reach here at best: the line under which everything else stays.
struct RooflineBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roofline",
        abstract:
            "GFLOP/s of large square products, Attune's and OpenBLAS's, or of a network's layers in both precisions.")

    @Option var size = 2048
    @Option var runs = 5
    @Flag(help: "Linear layers, convolutions and attention of SD-2.1 at 64×64 latents, batch 2.") var layers = false

    func run() throws {
        guard !layers else { return try measureLayers() }
        let draws = CounterGenerator(seed: 1, stream: 1)
        let (a, b) = (draws.normal([size, size]), draws.normal([size, size]))
        let operations = 2 * Double(size) * Double(size) * Double(size)
        let own = times(runs) { _ = matmul(a, b) }
        try Measurement("sgemm \(size)", own, gflops: operations / (own.min() ?? 1) / 1e9).print()
        let blas = times(runs) { _ = BLAS.product(a, b) }
        var line = Measurement("sgemm \(size)", blas, gflops: operations / (blas.min() ?? 1) / 1e9)
        line.engine = "OpenBLAS \(BLAS.coreName)"
        try line.print()
        let weight = PreparedLinear(b, precision: .bfloat16)
        let rounded = times(runs) { _ = linear(a, weight) }
        try Measurement("bfloat16 product \(size)", rounded, gflops: operations / (rounded.min() ?? 1) / 1e9).print()
    }

    /// Operations are those of the direct algorithm.
    private func measureLayers() throws {
        let draws = CounterGenerator(seed: 1, stream: 1)
        func measure(_ what: String, _ operations: Double, _ body: () -> Void) throws {
            let times = times(runs, body)
            try Measurement(what, times, gflops: operations / (times.min() ?? 1) / 1e9).print()
        }
        for (rows, inputs, outputs) in [
            (8192, 320, 320), (8192, 320, 2560), (8192, 1280, 320), (2048, 640, 5120), (2048, 2560, 640),
            (512, 1280, 1280), (512, 1280, 10240), (512, 5120, 1280), (154, 1024, 320), (2, 1280, 1280),
        ] {
            let (x, w) = (draws.normal([rows, inputs]), draws.normal([outputs, inputs]))
            for precision in Precision.ofCPU {
                let weight = PreparedLinear(w, precision: precision)
                try measure(
                    "linear \(rows)×\(inputs)→\(outputs), \(precision.rawValue)",
                    2 * Double(rows) * Double(inputs) * Double(outputs)
                ) { _ = linear(x, weight) }
            }
        }
        for (side, inputs, outputs, stride) in [
            (64, 320, 320, 1), (64, 960, 320, 1), (64, 320, 320, 2), (32, 640, 640, 1), (32, 1920, 640, 1),
            (16, 1280, 1280, 1), (16, 2560, 1280, 1), (8, 1280, 1280, 1), (8, 2560, 1280, 1),
        ] {
            let (x, w) = (draws.normal([2, side, side, inputs]), draws.normal([outputs, inputs, 3, 3]))
            for precision in Precision.ofCPU {
                let weight = PreparedConvolution(w, precision: precision)
                try measure(
                    "convolution \(side)²×\(inputs)→\(outputs), stride \(stride), \(precision.rawValue)",
                    2 * 9 * 2 * Double(side * side / stride / stride) * Double(inputs) * Double(outputs)
                ) { _ = conv2d(x, weight, stride: stride, padding: .uniform(1)) }
            }
        }
        for (queries, keys, channels) in [(4096, 4096, 320), (4096, 77, 320), (1024, 1024, 640), (256, 256, 1280)] {
            let (q, k) = (draws.normal([2, queries, channels]), draws.normal([2, keys, channels]))
            for precision in Precision.ofCPU {
                try measure(
                    "attention \(queries)×\(keys), \(channels) channels, \(precision.rawValue)",
                    2 * 4 * Double(queries) * Double(keys) * Double(channels)
                ) { _ = attention(q, k, k, heads: channels / 64, precision: precision) }
            }
        }
    }
}
