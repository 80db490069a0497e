import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing
import Tuning

/// How many threads there are decides when something is computed, never what: the same bytes with 1, 2, 3 and 8.
@Suite struct ThreadCountTests {
    private static let variable = "ATTUNE_TEST_THREADS"
    private static let asked = ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }

    @Test(.enabled(if: asked == nil, "this process is one of those that are compared"))
    func theSameBytesWithAnyNumberOfThreads() throws {
        var digests: [Int: [String]] = [:]
        for threads in [1, 2, 3, 8] {
            let (status, text) = try TestProcess.run(
                filter: "ThreadCountTests.digests", environment: [Self.variable: "\(threads)"])
            #expect(status == 0, "\(text)")
            digests[threads] = text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("digest ") }
            #expect(text.contains("threads \(threads)\n"), "\(text)")
        }
        let one = try #require(digests[1])
        #expect(one.count == 13, "\(one)")
        for (threads, found) in digests { #expect(found == one, "\(threads) threads") }
    }

    /// What the processes compute and print.
    @Test(.enabled(if: asked != nil, "theSameBytesWithAnyNumberOfThreads runs this in processes of its own"))
    func digests() throws {
        Parallel.use(threads: Self.asked ?? 0)
        print("threads \(Parallel.threads)")
        let x = Tensor.parameter(randomTensor([2, 40, 40, 96], seed: 1))
        let ones = Tensor.parameter(Tensor(filled: 1, shape: [96]))
        show("group norm", [x, ones]) {
            groupNorm(x, groups: 8, scale: ones, shift: ones, epsilon: 1e-5, activation: .silu)
        }
        let small = PreparedConvolution(randomTensor([96, 96, 3, 3], seed: 2))
        let large = PreparedConvolution(randomTensor([896, 96, 3, 3], seed: 3))
        show("small Winograd kernel", [x]) { conv2d(x, small, padding: .uniform(1)) }
        show("large Winograd kernel", [x]) { conv2d(x, large, padding: .uniform(1)) }
        show("direct convolution", [x]) { conv2d(x, large, stride: 2, padding: .uniform(1)) }
        let q = Tensor.parameter(randomTensor([1, 300, 40], seed: 4))
        let k = Tensor.parameter(randomTensor([1, PathSizes.attentionKeys + 200, 40], seed: 5))
        show("attention", [q, k]) { attention(q, k, k, heads: 4) }
        let weight = Tensor.parameter(randomTensor([1100, 1024], seed: 6))
        let rows = Tensor.parameter(randomTensor([300, 1024], seed: 7))
        show("wide product", [rows, weight]) { geglu(linear(rows, weight)) }
        show("layer norm", [rows]) {
            layerNorm(rows, scale: randomTensor([1024], seed: 8), shift: randomTensor([1024], seed: 9), epsilon: 1e-5)
        }
        let frozen = rows.detached
        show("product in bfloat16", [rows]) {
            linear(rows, PreparedLinear(weight.detached, precision: .bfloat16)) + linear(frozen, weight.detached)
        }
        for (name, kernel) in [
            ("small", randomTensor([96, 96, 3, 3], seed: 2)), ("large", randomTensor([896, 96, 3, 3], seed: 3)),
        ] {
            show("\(name) kernel in bfloat16", [x]) {
                conv2d(x, PreparedConvolution(kernel, precision: .bfloat16), padding: .uniform(1))
            }
        }
        show("attention in bfloat16", [q, k]) { attention(q, k, k, heads: 4, precision: .bfloat16) }
        try showTraining()
    }

    private func show(_ name: String, _ parameters: [Tensor], _ body: () -> Tensor) {
        let out = body()
        let target = randomTensor(out.shape, seed: 50)
        show(name, values: [out] + gradients(of: meanSquaredError(out, target), for: parameters))
    }

    /// A hash of every bit (FNV-1a).
    private func show(_ name: String, values: [Tensor]) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for tensor in values {
            tensor.withValues { for value in $0 { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01b3 } }
        }
        print("digest \(name): \(String(hash, radix: 16))")
    }

    /// Two steps of a DoRA adapter of the bundled model.
    private func showTraining() throws {
        let model = try TinyModel.load()
        var adapter = try Adapter(
            initializing: .dora, rank: 4, alpha: 4, targets: .attentionAndFeedForward, for: model.unet.linears, seed: 1)
        let prompts = model.encode(prompts: ["a red circle", "three green stars"])
        let batch = TrainingBatch(
            latents: randomTensor([3, 16, 16, 4], seed: 100), noise: randomTensor([3, 16, 16, 4], seed: 101),
            timesteps: [37, 500, 801], text: PromptEmbedding.batch(prompts), prompts: [0, 1, 0])
        let objective = DenoisingObjective(NoisingProcess(model.scheduler))
        var optimizer = AdamW(settings: .init(learningRate: 1e-3), shapes: adapter.parameters.map(\.value.shape))
        let squares = adapter.weightSquares(model.unet.linears)
        for step in 0..<2 {
            let parameters = adapter.parameters.map { Tensor.parameter($0.value) }
            let adapters = adapter.replacing(parameters).bound(to: model.unet.linears, weightSquares: squares)
            let policies = Policies(current: Network(model.unet, adapters: adapters), checkpointing: step == 1)
            let found = objective.lossAndGradients(batch, policies, parameters: parameters)
            let clip = clipFactor(norm: globalNorm(found.gradients), limit: 1)
            adapter = adapter.replacing(
                optimizer.update(parameters.map(\.detached), gradients: found.gradients, clip: clip))
            show("training step \(step)", values: found.gradients + adapter.parameters.map(\.value))
        }
    }
}
