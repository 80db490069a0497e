import CorpusStore
import Diffusion
import Tensors

/// What is said of values that do not fit 16 bits.
extension DiffusionModel {
    /// What to compute in instead.
    var widerPrecisions: String { precision == .float16 ? "--precision bfloat16 or float32" : "--precision float32" }

    /// Where values are first seen that are not finite numbers while an image is made, in parentheses; empty where none are.
    func firstSeen(_ request: GenerationRequest) -> String {
        let isText = request.prompts.contains { $0.tokens.firstNonFinite != nil }
        let layer = isText ? "the text encoder" : firstNonFiniteLayer(request)
        return layer.map { " (first seen in \($0))" } ?? ""
    }

    /// - Parameters:
    ///   - values: what was measured of a sample.
    ///   - sample: the sample.
    ///   - prompt: what it was measured under.
    /// - Throws: ``Failure`` for values of half precision that are not finite numbers.
    func requireFinite(_ values: some Sequence<Float>, of sample: Digest, _ prompt: PromptEmbedding) throws(Failure) {
        guard precision != .float32, !values.allSatisfy(\.isFinite) else { return }
        let request = GenerationRequest(prompts: [prompt], seeds: [0], steps: 2, guidance: 1, sampler: .ddim)
        throw Failure(
            "sample \(sample): what was measured with --precision \(precision.rawValue) is not finite numbers; give "
                + widerPrecisions + firstSeen(request))
    }
}
