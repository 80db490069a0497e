package import Diffusion
import Tensors

extension Adapter {
    /// A fresh adapter that changes nothing yet: A ~ N(0, 1/r) (standard deviation 1/r, PEFT's "gaussian"), B = 0,
    /// magnitudes = row norms of W.
    ///
    /// Every layer draws from its own counter stream, so that a layer's start depends on the seed and on its place in
    /// the sorted list of adapted layers only.
    package init(
        initializing kind: AdapterKind, rank: Int, alpha: Float, targets: AdapterTargets,
        for linears: [String: Linear], seed: UInt64
    ) throws(AdapterError) {
        let adapted = linears.filter { targets.contains($0.key) }
        guard !adapted.isEmpty else { throw .nothingToAdapt(targets: targets.rawValue) }
        var layers: [String: AdapterLayer] = [:]
        for (index, (path, linear)) in adapted.sorted(by: { $0.key < $1.key }).enumerated() {
            let (outputs, inputs) = (linear.prepared.outputs, linear.prepared.inputs)
            let generator = CounterGenerator(seed: seed, stream: DrawPurpose.adapter.stream(UInt64(index)))
            layers[path] = AdapterLayer(
                down: generator.normal([rank, inputs]) * (1 / Float(rank)),
                up: Tensor(zeros: [outputs, rank]),
                magnitude: kind == .dora ? rowNorms(squared: rowSquares(linear.weight)) : nil)
        }
        self.init(kind: kind, rank: rank, alpha: alpha, targetModules: targets.moduleNames, layers: layers)
    }
}
