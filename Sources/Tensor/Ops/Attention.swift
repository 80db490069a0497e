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
    let lse = recorded ? Output([plan.samples, heads, plan.queries]) : nil
    Parallel.forEach(plan.samples * heads * plan.blocks) { index in
        let (pair, block) = index.quotientAndRemainder(dividingBy: plan.blocks)
        let range = plan.range(block)
        withScratch(range.count * plan.keys) { scores in
            plan.scores(q, k, pair, range, into: scores)
            ck_softmax(
                scores, plan.scale, scores, lse.map { $0.pointer + pair * plan.queries + range.lowerBound },
                range.count, plan.keys, plan.keys, causal ? 1 : 0, range.lowerBound)
            gemmTile(
                range.count, plan.size, plan.keys, Matrix(pointer: scores, stride: plan.keys),
                plan.keyMatrix(v, pair), into: out.pointer + plan.queryOffset(pair, range.lowerBound),
                stride: plan.channels)
        }
    }
    guard let lse = lse?.tensor else { return out.tensor }
    return Tensor(value: out.tensor, parents: [q, k, v]) { [q = q.detached, k = k.detached, v = v.detached] gradient in
        attentionVJP(gradient, q, k, v, lse: lse, plan)
    }
}

private func attentionVJP(
    _ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, lse: Tensor, _ plan: AttentionPlan
) -> [Tensor?] {
    let (dq, dk, dv) = (Output(q.shape), Output(k.shape), Output(v.shape))
    let (keys, size, channels) = (plan.keys, plan.size, plan.channels)
    Parallel.forEach(plan.samples * plan.heads) { pair in
        withScratch(2 * plan.range(0).count * keys) { scratch in
            for block in 0..<plan.blocks {
                let range = plan.range(block)
                let (p, dp) = (scratch, scratch + range.count * keys)
                let beta: Float = block == 0 ? 0 : 1
                let at = plan.queryOffset(pair, range.lowerBound)
                let out = Matrix(pointer: gradient.pointer + at, stride: channels)
                plan.scores(q, k, pair, range, into: p)
                ck_softmax_again(
                    p, plan.scale, lse.pointer + pair * plan.queries + range.lowerBound, p, range.count, keys, keys,
                    plan.causal ? 1 : 0, range.lowerBound)
                gemmTile(
                    keys, size, range.count, Matrix(pointer: p, stride: keys, transposed: true), out, beta: beta,
                    into: dv.pointer + plan.keyOffset(pair), stride: channels)
                gemmTile(
                    range.count, keys, size, out, plan.keyMatrix(v, pair, transposed: true), into: dp, stride: keys)
                ck_softmax_vjp(p, dp, plan.scale, dp, range.count, keys, keys)
                gemmTile(
                    range.count, size, keys, Matrix(pointer: dp, stride: keys), plan.keyMatrix(k, pair),
                    into: dq.pointer + at, stride: channels)
                gemmTile(
                    keys, size, range.count, Matrix(pointer: dp, stride: keys, transposed: true),
                    Matrix(pointer: q.pointer + at, stride: channels), beta: beta,
                    into: dk.pointer + plan.keyOffset(pair), stride: channels)
            }
        }
    }
    return [dq.tensor, dk.tensor, dv.tensor]
}

/// Sizes of one attention; a *pair* is a sample and a head, counted heads fastest.
private struct AttentionPlan: Sendable {
    let samples, queries, keys, channels, heads, size, blocks, blockQueries: Int
    let scale: Float
    let causal: Bool

    init(q: Tensor, k: Tensor, heads: Int, causal: Bool) {
        (samples, queries, channels) = (q.shape[0], q.shape[1], q.shape[2])
        keys = k.shape[1]
        (self.heads, self.causal) = (heads, causal)
        size = channels / heads
        scale = 1 / Float(size).squareRoot()
        blockQueries = min(queries, max(98_304 / max(keys, 1), 16))
        blocks = (queries + blockQueries - 1) / max(blockQueries, 1)
    }

    func range(_ block: Int) -> Range<Int> {
        block * blockQueries..<min((block + 1) * blockQueries, queries)
    }

    func queryOffset(_ pair: Int, _ query: Int) -> Int {
        (pair / heads * queries + query) * channels + pair % heads * size
    }

    func keyOffset(_ pair: Int) -> Int { pair / heads * keys * channels + pair % heads * size }

    func keyMatrix(_ tensor: Tensor, _ pair: Int, transposed: Bool = false) -> Matrix {
        Matrix(pointer: tensor.pointer + keyOffset(pair), stride: channels, transposed: transposed)
    }

    func scores(
        _ q: Tensor, _ k: Tensor, _ pair: Int, _ range: Range<Int>, into out: UnsafeMutablePointer<Float>
    ) {
        gemmTile(
            range.count, keys, size,
            Matrix(pointer: q.pointer + queryOffset(pair, range.lowerBound), stride: channels),
            keyMatrix(k, pair, transposed: true), into: out, stride: keys)
    }
}
