import CKernels

/// Scaled dot-product attention, softmax(q·kᵀ/√d)·v by heads.
///
/// Scores exist for one block of queries at a time, small enough to stay in the second-level cache; the backward pass
/// computes them again from the log-sum-exp of each row (Dao et al., arXiv 2205.14135).
///
/// - Parameters:
///   - q: `[N, L, C]`, heads side by side in C.
///   - k, v: `[N, S, C]`.
///   - causal: position i sees positions up to i only.
/// - Returns: `[N, L, C]`.
package func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool = false) -> Tensor {
    precondition(k.shape == v.shape && q.channels == k.channels, "attention of \(q.shape), \(k.shape), \(v.shape)")
    precondition(q.channels.isMultiple(of: heads), "\(q.channels) channels do not split into \(heads) heads")
    let plan = AttentionPlan(q: q, k: k, heads: heads, causal: causal)
    let recorded = q.requiresGradient || k.requiresGradient || v.requiresGradient
    let out = Output(q.shape)
    let lse = recorded ? Output([plan.pairs, plan.queries]) : nil
    let packed = AttentionOperands(k, v, plan)
    Parallel.forEach(plan.pairs * plan.blocks) { index in
        let (pair, block) = index.quotientAndRemainder(dividingBy: plan.blocks)
        let range = plan.range(block)
        withScratch(range.count * plan.scoreStride) { scores in
            packed.keys(pair).multiply(
                plan.queryMatrix(q, pair, range), rows: range.count, into: scores, stride: plan.scoreStride)
            ck_softmax(
                scores, plan.scale, scores, lse.map { $0.pointer + pair * plan.queries + range.lowerBound },
                range.count, plan.keys, plan.scoreStride, causal ? 1 : 0, range.lowerBound)
            packed.values(pair).multiply(
                Matrix(pointer: scores, stride: plan.scoreStride), rows: range.count,
                into: out.pointer + plan.queryOffset(pair, range.lowerBound), stride: plan.channels)
        }
    }
    guard let lse = lse?.tensor else { return out.tensor }
    return Tensor(value: out.tensor, parents: [q, k, v]) { [q = q.detached, k = k.detached, v = v.detached] gradient in
        attentionVJP(gradient, q, k, v, lse: lse, plan)
    }
}

/// With P the probabilities and O the result: dV = Pᵀ·dO, dP = dO·Vᵀ, dS = P∘(dP − Σ dP∘P), dQ = dS·K/√d, dK = dSᵀ·Q/√d.
private func attentionVJP(
    _ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, lse: Tensor, _ plan: AttentionPlan
) -> [Tensor?] {
    let (dq, dk, dv) = (Output(q.shape), Output(k.shape), Output(v.shape))
    let (keys, size, channels, stride) = (plan.keys, plan.size, plan.channels, plan.scoreStride)
    let blockScores = plan.range(0).count * stride
    let room = max(
        RightHandSide.packedCount(size, keys), RightHandSide.packedCount(keys, size),
        RightHandSide.packedCount(plan.range(0).count, size))
    // One head of one sample at a time: the blocks of its queries add to the same keys and values.
    Parallel.forEach(plan.pairs) { pair in
        withScratch(2 * blockScores + 4 * room) { scratch in
            let (p, dp) = (scratch, scratch + blockScores)
            let rooms = (0..<4).map { scratch + 2 * blockScores + $0 * room }
            let keysAcross = RightHandSide(
                packing: plan.keyMatrix(k, pair, transposed: true), size, keys, into: rooms[0])
            let valuesAcross = RightHandSide(
                packing: plan.keyMatrix(v, pair, transposed: true), size, keys, into: rooms[1])
            let keysDown = RightHandSide(packing: plan.keyMatrix(k, pair), keys, size, into: rooms[2])
            for block in 0..<plan.blocks {
                let range = plan.range(block)
                let (queries, out) = (plan.queryMatrix(q, pair, range), plan.queryMatrix(gradient, pair, range))
                keysAcross.multiply(queries, rows: range.count, into: p, stride: stride)
                ck_softmax_again(
                    p, plan.scale, lse.pointer + pair * plan.queries + range.lowerBound, p, range.count, keys, stride,
                    plan.causal ? 1 : 0, range.lowerBound)
                RightHandSide(packing: out, range.count, size, into: rooms[3]).multiply(
                    Matrix(pointer: p, stride: stride, transposed: true), rows: keys, accumulating: block > 0,
                    into: dv.pointer + plan.keyOffset(pair), stride: channels)
                valuesAcross.multiply(out, rows: range.count, into: dp, stride: stride)
                ck_softmax_vjp(p, dp, plan.scale, dp, range.count, keys, stride)
                keysDown.multiply(
                    Matrix(pointer: dp, stride: stride), rows: range.count,
                    into: dq.pointer + plan.queryOffset(pair, range.lowerBound), stride: channels)
                RightHandSide(packing: queries, range.count, size, into: rooms[3]).multiply(
                    Matrix(pointer: dp, stride: stride, transposed: true), rows: keys, accumulating: block > 0,
                    into: dk.pointer + plan.keyOffset(pair), stride: channels)
            }
        }
    }
    return [dq.tensor, dk.tensor, dv.tensor]
}

/// Keys (transposed) and values of all heads, packed once for all blocks of queries.
private struct AttentionOperands: Sendable {
    private let plan: AttentionPlan
    private let k, v: Tensor
    private let room: Output
    private let keyCount, valueCount: Int

    init(_ k: Tensor, _ v: Tensor, _ plan: AttentionPlan) {
        (self.k, self.v, self.plan) = (k, v, plan)
        keyCount = RightHandSide.packedCount(plan.size, plan.keys)
        valueCount = RightHandSide.packedCount(plan.keys, plan.size)
        room = Output([plan.pairs, keyCount + valueCount])
        guard RightHandSide.usesPanels, plan.blocks > 1 else { return }
        Parallel.forEach(plan.pairs) { pair in
            _ = packedKeys(pair)
            _ = packedValues(pair)
        }
    }

    private func place(_ pair: Int) -> UnsafeMutablePointer<Float> { room.pointer + pair * (keyCount + valueCount) }

    /// Scores are computed up to the end of the last vector, where the panels hold zeros.
    private func packedKeys(_ pair: Int) -> RightHandSide {
        let keys = RightHandSide(
            packing: plan.keyMatrix(k, pair, transposed: true), plan.size, plan.keys, into: place(pair))
        guard RightHandSide.usesPanels else { return keys }
        return RightHandSide(packed: place(pair), plan.size, plan.scoreStride)
    }

    private func packedValues(_ pair: Int) -> RightHandSide {
        RightHandSide(packing: plan.keyMatrix(v, pair), plan.keys, plan.size, into: place(pair) + keyCount)
    }

    /// With a single block, its task packs for itself.
    func keys(_ pair: Int) -> RightHandSide {
        guard RightHandSide.usesPanels, plan.blocks > 1 else { return packedKeys(pair) }
        return RightHandSide(packed: place(pair), plan.size, plan.scoreStride)
    }

    func values(_ pair: Int) -> RightHandSide {
        guard RightHandSide.usesPanels, plan.blocks > 1 else { return packedValues(pair) }
        return RightHandSide(packed: place(pair) + keyCount, plan.keys, plan.size)
    }
}

/// Sizes of one attention; a *pair* is a sample and a head, counted heads fastest.
private struct AttentionPlan: Sendable {
    let queries, keys, channels, heads, size, pairs, blocks, blockQueries: Int
    /// Between rows of scores: whole vectors, so that loops have no remainders.
    let scoreStride: Int
    let scale: Float
    let causal: Bool

    init(q: Tensor, k: Tensor, heads: Int, causal: Bool) {
        (queries, channels) = (q.shape[1], q.shape[2])
        keys = k.shape[1]
        pairs = q.shape[0] * heads
        (self.heads, self.causal) = (heads, causal)
        size = channels / heads
        scoreStride = (keys + 15) / 16 * 16
        scale = 1 / Float(size).squareRoot()
        blockQueries = min(queries, max(98_304 / max(keys, 1) / 12 * 12, 24))
        blocks = (queries + blockQueries - 1) / max(blockQueries, 1)
    }

    func range(_ block: Int) -> Range<Int> {
        block * blockQueries..<min((block + 1) * blockQueries, queries)
    }

    func queryOffset(_ pair: Int, _ query: Int) -> Int {
        (pair / heads * queries + query) * channels + pair % heads * size
    }

    func keyOffset(_ pair: Int) -> Int { pair / heads * keys * channels + pair % heads * size }

    func queryMatrix(_ tensor: Tensor, _ pair: Int, _ range: Range<Int>) -> Matrix {
        Matrix(pointer: tensor.pointer + queryOffset(pair, range.lowerBound), stride: channels)
    }

    func keyMatrix(_ tensor: Tensor, _ pair: Int, transposed: Bool = false) -> Matrix {
        Matrix(pointer: tensor.pointer + keyOffset(pair), stride: channels, transposed: transposed)
    }
}
