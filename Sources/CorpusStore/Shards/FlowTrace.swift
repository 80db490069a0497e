/// What the trace of a flow-matching model (SD 3) has besides ‖δ‖² with δ = v_c − v_∅: one value per step each.
package struct FlowTrace: Sendable, Equatable {
    /// Noise levels from noisy to clean, 0…1.
    package var sigmas: [Float]
    /// Σ v_c·δ over the latent's values; NaN where a step was not guided.
    package var velocityDelta: [Float]

    package init(sigmas: [Float], velocityDelta: [Float]) {
        precondition(sigmas.count == velocityDelta.count, "a trace has one value per step")
        (self.sigmas, self.velocityDelta) = (sigmas, velocityDelta)
    }

    /// Bit by bit, NaNs too.
    static func isSame(_ a: FlowTrace?, _ b: FlowTrace?) -> Bool {
        a?.sigmas.map(\.bitPattern) == b?.sigmas.map(\.bitPattern)
            && a?.velocityDelta.map(\.bitPattern) == b?.velocityDelta.map(\.bitPattern)
    }
}

extension ShardReader {
    /// The flow traces of some rows, as long as their traces; nil for a row that has none.
    func flows(_ rows: Range<Int>) throws(CorpusError) -> [FlowTrace?] {
        guard hasFlows else { return Array(repeating: nil, count: rows.count) }
        let traces = try traces(rows)
        return try flows(rows, lengths: traces.map(\.timesteps.count))
    }

    /// - Parameter lengths: of the rows' traces.
    func flows(_ rows: Range<Int>, lengths: [Int]) throws(CorpusError) -> [FlowTrace?] {
        guard hasFlows else { return Array(repeating: nil, count: rows.count) }
        let (sigmas, width) = try trace("/traces/sigma", rows)
        let (deltas, otherWidth) = try trace("/traces/velocity_delta", rows)
        guard width == otherWidth, lengths.allSatisfy({ $0 <= width }) else {
            throw CorpusError(.damaged, path, "/traces columns differ in shape")
        }
        return (0..<rows.count).map { place in
            let range = place * width..<place * width + lengths[place]
            // NaN stands for a row of a model that is not a flow-matching one.
            guard let first = sigmas[range].first, !first.isNaN else { return nil }
            return FlowTrace(sigmas: Array(sigmas[range]), velocityDelta: Array(deltas[range]))
        }
    }
}
