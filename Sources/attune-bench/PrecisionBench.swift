import ArgumentParser
import Diffusion
import Foundation
import Images
import Tensors

/// Whether MI read off generation in bfloat16 orders candidates as float32 does.
struct PrecisionBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "precision",
        abstract: "MI of the same candidates in float32 and bfloat16: order within prompts, best of each, images.")

    @Argument(help: "The model's folder.") var model: String
    @Option(help: "A file of prompts, one per line.") var prompts: String
    @Option var candidates = 16
    @Option var steps = 50
    @Option var guidance: Float = 5

    private struct Agreement: Encodable {
        let prompts, candidates: Int
        /// Means over prompts.
        let spearman: Double
        let worstSpearman: Double
        let sameBest: Double
        /// ‖a − b‖/‖b‖ over the scores, the latents and the pixel values.
        let scores, latents, pixels: Double
    }

    func run() throws {
        let lines = try String(contentsOfFile: prompts, encoding: .utf8).split(separator: "\n").map(String.init)
        let url = URL(fileURLWithPath: model)
        func make(_ precision: Precision) throws -> [[(mi: Double, generation: Generation)]] {
            let model = try DiffusionModel.load(from: url, for: .sampling(.ddpm), precision: precision)
            let estimator = MeanKappaEstimator(kappa: .paper)
            return try model.encode(prompts: lines).map { prompt in
                try model.generate(
                    GenerationRequest(
                        prompts: Array(repeating: prompt, count: candidates),
                        seeds: (0..<UInt64(candidates)).map { 42 + $0 }, steps: steps, guidance: guidance,
                        sampler: .ddpm)
                ).map { (estimator.estimate($0.trace, schedule: model.schedule).value, $0) }
            }
        }
        let (wide, narrow) = (try make(.float32), try make(.bfloat16))
        let correlations = zip(wide, narrow).map { spearman($0.map(\.mi), $1.map(\.mi)) }
        let same = zip(wide, narrow).count { best($0.map(\.mi)) == best($1.map(\.mi)) }
        func error(_ values: (Double, Generation) -> [Double]) -> Double {
            let pairs = zip(wide.joined(), narrow.joined()).flatMap {
                zip(values($0.mi, $0.generation), values($1.mi, $1.generation))
            }
            let difference = pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return (difference / pairs.reduce(0) { $0 + $1.0 * $1.0 }).squareRoot()
        }
        let agreement = Agreement(
            prompts: lines.count, candidates: candidates,
            spearman: correlations.reduce(0, +) / Double(max(lines.count, 1)), worstSpearman: correlations.min() ?? 1,
            sameBest: Double(same) / Double(max(lines.count, 1)), scores: error { mi, _ in [mi] },
            latents: error { $1.latent.values.map(Double.init) }, pixels: error { $1.image.pixels.map(Double.init) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        print(String(decoding: try encoder.encode(agreement), as: UTF8.self))
    }

    private func best(_ values: [Double]) -> Int? { values.indices.max { values[$0] < values[$1] } }

    /// The correlation of ranks; scores are all different.
    private func spearman(_ a: [Double], _ b: [Double]) -> Double {
        func ranks(_ values: [Double]) -> [Double] {
            var ranks = [Double](repeating: 0, count: values.count)
            for (rank, index) in values.indices.sorted(by: { values[$0] < values[$1] }).enumerated() {
                ranks[index] = Double(rank)
            }
            return ranks
        }
        let n = Double(a.count)
        let squares = zip(ranks(a), ranks(b)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        return 1 - 6 * squares / (n * (n * n - 1))
    }
}
