import ArgumentParser
import Tensor

/// What matrix products reach here at best: the line under which everything else stays.
struct RooflineBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "roofline", abstract: "GFLOP/s of large square products, Attune's and OpenBLAS's.")

    @Option var size = 2048
    @Option var runs = 5

    func run() throws {
        let draws = CounterGenerator(seed: 1, stream: 1)
        let (a, b) = (draws.normal([size, size]), draws.normal([size, size]))
        let operations = 2 * Double(size) * Double(size) * Double(size)
        let own = times(runs) { _ = matmul(a, b) }
        try Measurement("sgemm \(size)", own, gflops: operations / (own.min() ?? 1) / 1e9).print()
        let blas = times(runs) { _ = BLAS.product(a, b) }
        var line = Measurement("sgemm \(size)", blas, gflops: operations / (blas.min() ?? 1) / 1e9)
        line.engine = "OpenBLAS \(BLAS.coreName)"
        try line.print()
    }
}
