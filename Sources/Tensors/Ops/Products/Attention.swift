import CKernels

/// Scaled dot-product attention, softmax(q·kᵀ/√d)·v by heads.
///
/// Scores exist for one block of queries and keys at a time, small enough to stay in the second-level cache with the
/// keys and values that they are of; the backward pass computes them again from the log-sum-exp of each row (Dao et
/// al., arXiv 2205.14135).
///
/// - Parameters:
///   - q: `[N, L, C]`, heads side by side in C.
///   - k: `[N, S, C]`.
///   - v: `[N, S, C]`.
///   - heads: their number, a divisor of C; d = C / heads.
///   - causal: position i sees positions up to i only.
///   - precision: what the factors of its products are rounded to; the softmax is in float32.
/// - Returns: `[N, L, C]`.
package func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool = false, precision: Precision = .float32
) -> Tensor {
    precondition(k.shape == v.shape && q.channels == k.channels, "attention of \(q.shape), \(k.shape), \(v.shape)")
    precondition(q.channels.isMultiple(of: heads), "\(q.channels) channels do not split into \(heads) heads")
    if let backend = q.backend ?? k.backend { return attention(q, k, v, heads: heads, causal: causal, on: backend) }
    let plan = AttentionPlan(q: q, k: k, heads: heads, causal: causal, precision: precision)
    guard q.requiresGradient || k.requiresGradient || v.requiresGradient else {
        return attend(q, k, v, plan, lse: nil)
    }
    let results = KeptResults.keeping {
        let lse = Output([plan.pairs, plan.queries])
        return [attend(q, k, v, plan, lse: lse), lse.tensor]
    }
    let (out, lse) = (results[0], results[1])
    return Tensor(value: out, parents: [q, k, v]) { [q = q.detached, k = k.detached, v = v.detached] gradient in
        attentionVJP(gradient, q, k, v, out, lse: lse, plan)
    }
}

private func attention(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool, on backend: any Backend
) -> Tensor {
    guard q.requiresGradient || k.requiresGradient || v.requiresGradient else {
        return backend.attention(q, k, v, heads: heads, causal: causal)[0]
    }
    let kept = KeptResults.keeping { backend.attention(q, k, v, heads: heads, causal: causal) }
    return Tensor(value: kept[0], parents: [q, k, v]) { [q = q.detached, k = k.detached, v = v.detached] gradient in
        backend.attentionVJP(gradient, q, k, v, kept: kept, heads: heads, causal: causal)
    }
}

/// - Parameter lse: receives the log-sum-exp of each query's scores.
private func attend(_ q: Tensor, _ k: Tensor, _ v: Tensor, _ plan: AttentionPlan, lse: Output?) -> Tensor {
    let out = Output(q.shape)
    let packed = AttentionOperands(k, v, plan)
    Parallel.forEach(plan.pairs * plan.blocks) { index in
        let (pair, block) = index.quotientAndRemainder(dividingBy: plan.blocks)
        let range = plan.range(block)
        let rows = range.count
        let queries = plan.queryMatrix(q, pair, range)
        let result = out.pointer + plan.queryOffset(pair, range.lowerBound)
        let lse = lse.map { $0.pointer + pair * plan.queries + range.lowerBound }
        if plan.precision == .bfloat16 && !plan.causal {
            return attend(plan, pair, range, queries, packed, into: result, lse: lse)
        }
        withScratch(rows * (plan.scoreStride + 2)) { scores in
            let weights = Matrix(pointer: scores, stride: plan.scoreStride)
            guard plan.keyBlocks > 1 else {
                packed.keys(pair, 0).multiply(queries, rows: rows, into: scores, stride: plan.scoreStride)
                ck_softmax(
                    scores, plan.scale, scores, lse, rows, plan.keys, plan.scoreStride, plan.causal ? 1 : 0,
                    range.lowerBound)
                packed.values(pair, 0).multiply(weights, rows: rows, into: result, stride: plan.channels)
                return
            }
            let (top, total) = (scores + rows * plan.scoreStride, scores + rows * (plan.scoreStride + 1))
            for keyBlock in 0..<plan.keyBlocks {
                packed.keys(pair, keyBlock).multiply(queries, rows: rows, into: scores, stride: plan.scoreStride)
                ck_softmax_online(
                    scores, plan.scale, top, total, result, plan.size, plan.channels, keyBlock == 0 ? 1 : 0, rows,
                    plan.keyRange(keyBlock).count, plan.scoreStride)
                packed.values(pair, keyBlock).multiply(
                    weights, rows: rows, accumulating: keyBlock > 0, into: result, stride: plan.channels)
            }
            ck_softmax_finish(top, total, result, plan.size, plan.channels, lse, rows)
        }
    }
    return out.tensor
}

/// One block of queries with products of brain floats: probabilities are rounded as they are made.
private func attend(
    _ plan: AttentionPlan, _ pair: Int, _ range: Range<Int>, _ queries: Matrix, _ packed: AttentionOperands,
    into result: UnsafeMutablePointer<Float>, lse: UnsafeMutablePointer<Float>?
) {
    let rows = range.count
    // A vector more between rows, which must not lie a power of two apart.
    let weightStride = plan.scoreStride / 2 + 16
    withScratch(rows * (plan.scoreStride + weightStride + 2)) { scores in
        let weights = (scores + rows * plan.scoreStride).pairs
        let top = scores + rows * (plan.scoreStride + weightStride)
        let total = top + rows
        for keyBlock in 0..<plan.keyBlocks {
            packed.keys(pair, keyBlock).multiply(queries, rows: rows, into: scores, stride: plan.scoreStride)
            ck_pair_softmax(
                scores, plan.scale, top, total, weights, weightStride, result, plan.size, plan.channels,
                keyBlock == 0 ? 1 : 0, rows, plan.keyRange(keyBlock).count, plan.scoreStride)
            packed.values(pair, keyBlock).multiply(
                .pairs(PairMatrix(pointer: weights, stride: weightStride)), rows: rows, accumulating: keyBlock > 0,
                into: result, stride: plan.channels)
        }
        ck_softmax_finish(top, total, result, plan.size, plan.channels, lse, rows)
    }
}

/// With P the probabilities and O the result: dV = Pᵀ·dO, dP = dO·Vᵀ, dS = P∘(dP − Σ dO∘O), dQ = dS·K/√d,
/// dK = dSᵀ·Q/√d.
///
/// One block of keys of one head at a time, which stays in the cache while all queries pass. Blocks of keys add to the
/// same dQ, so each of a few parts of them has a dQ of its own, and these are added up in order.
private func attentionVJP(
    _ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, _ out: Tensor, lse: Tensor, _ plan: AttentionPlan
) -> [Tensor?] {
    let (dk, dv) = (Output(k.shape), Output(v.shape))
    let parts = plan.pairs < 16 ? min(plan.keyBlocks, 2) : 1
    let dq = (0..<parts).map { _ in Output(q.shape) }
    let dots = plan.headDots(gradient, out)
    Parallel.forEach(plan.pairs * parts) { index in
        let (pair, part) = index.quotientAndRemainder(dividingBy: parts)
        let blocks = part * plan.keyBlocks / parts..<(part + 1) * plan.keyBlocks / parts
        for block in blocks {
            attentionVJP(
                pair, block, adding: block > blocks.lowerBound, gradient, q, k, v, lse: lse, dots: dots, plan,
                dq: dq[part], dk: dk, dv: dv)
        }
    }
    return [dq.dropFirst().reduce(dq[0].tensor) { $0 + $1.tensor }, dk.tensor, dv.tensor]
}

/// One head's block of keys with all its queries.
private func attentionVJP(
    _ pair: Int, _ keyBlock: Int, adding: Bool, _ gradient: Tensor, _ q: Tensor, _ k: Tensor, _ v: Tensor, lse: Tensor,
    dots: Tensor, _ plan: AttentionPlan, dq: Output, dk: Output, dv: Output
) {
    let (size, channels, stride) = (plan.size, plan.channels, plan.scoreStride)
    let keyRange = plan.keyRange(keyBlock)
    let (first, keys) = (keyRange.lowerBound, keyRange.count)
    let blockScores = plan.range(0).count * stride
    let precision = plan.precision
    let operand = max(
        RightHandSide.packedCount(size, keys, precision), RightHandSide.packedCount(keys, size, precision),
        RightHandSide.packedCount(plan.range(0).count, size, precision))
    withScratch(2 * blockScores + 4 * operand) { scratch in
        let (p, dp) = (scratch, scratch + blockScores)
        let operands = (0..<4).map { scratch + 2 * blockScores + $0 * operand }
        let keysAcross = RightHandSide(
            packing: plan.keyMatrix(k, pair, from: first, transposed: true), size, keys, precision: precision,
            into: operands[0])
        let valuesAcross = RightHandSide(
            packing: plan.keyMatrix(v, pair, from: first, transposed: true), size, keys, precision: precision,
            into: operands[1])
        let keysDown = RightHandSide(
            packing: plan.keyMatrix(k, pair, from: first), keys, size, for: plan.queries, precision: precision,
            into: operands[2])
        let keyOffset = plan.keyOffset(pair) + first * channels
        for block in 0..<plan.blocks {
            let range = plan.range(block)
            let (queries, out) = (plan.queryMatrix(q, pair, range), plan.queryMatrix(gradient, pair, range))
            let row = pair * plan.queries + range.lowerBound
            keysAcross.multiply(queries, rows: range.count, into: p, stride: stride)
            ck_softmax_again(
                p, plan.scale, lse.pointer + row, p, range.count, keys, stride, plan.causal ? 1 : 0, range.lowerBound)
            RightHandSide(packing: out, range.count, size, for: keys, precision: precision, into: operands[3]).multiply(
                Matrix(pointer: p, stride: stride, transposed: true), rows: keys, accumulating: block > 0,
                into: dv.pointer + keyOffset, stride: channels)
            valuesAcross.multiply(out, rows: range.count, into: dp, stride: stride)
            ck_softmax_vjp(p, dp, dots.pointer + row, plan.scale, dp, range.count, keys, stride)
            keysDown.multiply(
                Matrix(pointer: dp, stride: stride), rows: range.count, accumulating: adding,
                into: dq.pointer + plan.queryOffset(pair, range.lowerBound), stride: channels)
            RightHandSide(packing: queries, range.count, size, for: keys, precision: precision, into: operands[3])
                .multiply(
                    Matrix(pointer: dp, stride: stride, transposed: true), rows: keys, accumulating: block > 0,
                    into: dk.pointer + keyOffset, stride: channels)
        }
    }
}

/// Keys (transposed) and values of all heads by blocks, packed once for all blocks of queries.
private struct AttentionOperands: Sendable {
    private let plan: AttentionPlan
    private let k, v: Tensor
    private let buffer: Output
    /// The size, in values, of one pair's packed keys; its packed values take as much.
    private let half: Int
    private let packs: Bool
    /// With a single block of queries, its task packs for itself.
    private let packsAhead: Bool

    init(_ k: Tensor, _ v: Tensor, _ plan: AttentionPlan) {
        (self.k, self.v, self.plan) = (k, v, plan)
        packs = RightHandSide.packs(plan.precision)
        half =
            plan.keyBlocks
            * max(
                RightHandSide.packedCount(plan.size, plan.scoreStride, plan.precision),
                RightHandSide.packedCount(plan.blockKeys, plan.size, plan.precision))
        buffer = Output([packs ? plan.pairs * 2 * half : 0])
        packsAhead = packs && plan.blocks > 1
        guard packsAhead else { return }
        Parallel.forEach(plan.pairs * plan.keyBlocks) { index in
            let (pair, block) = index.quotientAndRemainder(dividingBy: plan.keyBlocks)
            packKeys(pair, block)
            packValues(pair, block)
        }
    }

    private func place(_ pair: Int, _ block: Int) -> UnsafeMutablePointer<Float> {
        buffer.pointer + pair * 2 * half + block * (half / plan.keyBlocks)
    }

    @discardableResult
    private func packKeys(_ pair: Int, _ block: Int) -> RightHandSide {
        let range = plan.keyRange(block)
        return RightHandSide(
            packing: plan.keyMatrix(k, pair, from: range.lowerBound, transposed: true), plan.size, range.count,
            precision: plan.precision, into: place(pair, block))
    }

    @discardableResult
    private func packValues(_ pair: Int, _ block: Int) -> RightHandSide {
        let range = plan.keyRange(block)
        return RightHandSide(
            packing: plan.keyMatrix(v, pair, from: range.lowerBound), range.count, plan.size,
            precision: plan.precision, into: place(pair, block) + half)
    }

    func keys(_ pair: Int, _ block: Int) -> RightHandSide {
        guard packs else { return packKeys(pair, block) }
        if !packsAhead { packKeys(pair, block) }
        // Scores are computed up to the end of the last vector, where the panels hold zeros.
        return packed(place(pair, block), plan.size, (plan.keyRange(block).count + 15) / 16 * 16)
    }

    func values(_ pair: Int, _ block: Int) -> RightHandSide {
        guard packsAhead else { return packValues(pair, block) }
        return packed(place(pair, block) + half, plan.keyRange(block).count, plan.size)
    }

    private func packed(_ place: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int) -> RightHandSide {
        switch plan.precision {
        case .float32, .tf32: RightHandSide(packed: place, rows, columns)
        case .bfloat16, .float16: RightHandSide(pairs: place.pairs, rows, columns)
        }
    }
}

/// Sizes of one attention; a *pair* is a sample and a head, counted heads fastest.
private struct AttentionPlan: Sendable {
    let queries, keys, channels, heads, size, pairs, blocks, blockQueries, keyBlocks, blockKeys: Int
    /// Between rows of scores: whole vectors, so that loops have no remainders.
    let scoreStride: Int
    let scale: Float
    let causal: Bool
    let precision: Precision

    init(q: Tensor, k: Tensor, heads: Int, causal: Bool, precision: Precision) {
        precision.requireCPU()
        (queries, channels) = (q.shape[1], q.shape[2])
        keys = k.shape[1]
        pairs = q.shape[0] * heads
        (self.heads, self.causal, self.precision) = (heads, causal, precision)
        size = channels / heads
        scale = 1 / Float(size).squareRoot()
        blockKeys = keys <= PathSizes.attentionKeys || causal ? max(keys, 1) : PathSizes.attentionBlock
        keyBlocks = max((keys + blockKeys - 1) / blockKeys, 1)
        scoreStride = (blockKeys + 15) / 16 * 16
        blockQueries = min(queries, max(PathSizes.attentionScores / blockKeys / 12 * 12, 24))
        blocks = (queries + blockQueries - 1) / max(blockQueries, 1)
    }

    func range(_ block: Int) -> Range<Int> {
        block * blockQueries..<min((block + 1) * blockQueries, queries)
    }

    func queryOffset(_ pair: Int, _ query: Int) -> Int {
        (pair / heads * queries + query) * channels + pair % heads * size
    }

    func keyOffset(_ pair: Int) -> Int { pair / heads * keys * channels + pair % heads * size }

    func keyRange(_ block: Int) -> Range<Int> { block * blockKeys..<min((block + 1) * blockKeys, keys) }

    /// ⟨a, b⟩ of each query of each pair, `[pairs, queries]`.
    func headDots(_ a: Tensor, _ b: Tensor) -> Tensor {
        let out = Output([pairs, queries])
        Parallel.forEach(pairs) { pair in
            ck_row_products(
                a.pointer + queryOffset(pair, 0), b.pointer + queryOffset(pair, 0), out.pointer + pair * queries,
                queries, size, channels)
        }
        return out.tensor
    }

    func queryMatrix(_ tensor: Tensor, _ pair: Int, _ range: Range<Int>) -> Matrix {
        Matrix(pointer: tensor.pointer + queryOffset(pair, range.lowerBound), stride: channels)
    }

    func keyMatrix(_ tensor: Tensor, _ pair: Int, from key: Int = 0, transposed: Bool = false) -> Matrix {
        Matrix(pointer: tensor.pointer + keyOffset(pair) + key * channels, stride: channels, transposed: transposed)
    }
}
