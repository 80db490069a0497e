/// Which samples, in which order, and how many.
package struct CatalogueQuery: Sendable, Equatable, Codable {
    /// An SQL condition over ``CatalogueRow/columns``; nil for all.
    package var condition: String?
    /// The column to rank by, largest first; ties go to the smaller id. Nil keeps the order of ids.
    package var by: String?
    /// How many to keep: in all, or of each prompt. Nil keeps all.
    package var top: Int?
    package var perPrompt: Bool

    package init(condition: String? = nil, by: String? = nil, top: Int? = nil, perPrompt: Bool = false) {
        (self.condition, self.by, self.top, self.perPrompt) = (condition, by, top, perPrompt)
    }

    /// How many samples fit, whatever is kept of them.
    func countSQL(_ scorers: [String]) -> String { "SELECT count(*) FROM \(source(scorers)) WHERE \(filter)" }

    /// One column of the chosen samples, in their order.
    ///
    /// - Parameters:
    ///   - column: `_sample`, the key of the row, or `_id`, the digest; NULL where a prompt has no sample that fits.
    ///   - scorers: names that stand for their annotations.
    func sql(_ column: String, _ scorers: [String]) -> String {
        guard perPrompt else {
            return
                "SELECT \(column) FROM \(source(scorers)) WHERE \(filter) ORDER BY \(order(scorers))\(top.map { " LIMIT \($0)" } ?? "")"
        }
        guard let top else {
            return
                "SELECT \(column) FROM \(source(scorers, "prompt")) WHERE \(filter) ORDER BY prompt, \(order(scorers))"
        }
        return by == "mi" ? best(top, column, scorers) : ranked(top, column, scorers)
    }

    /// The first samples of each prompt, off the index that has them in order.
    private func best(_ top: Int, _ column: String, _ scorers: [String]) -> String {
        if top == 1 {
            let source = source(scorers)
            return """
                SELECT (SELECT \(column) FROM \(source) WHERE _prompt = q._key AND \(filter) ORDER BY mi DESC, _id LIMIT 1)
                FROM \(Self.prompts) q ORDER BY q._text
                """
        }
        return """
            SELECT b.\(column == "_id" ? "id" : "key") FROM \(Self.prompts) q
            CROSS JOIN sample b ON b.key IN
              (SELECT _sample FROM \(source(scorers)) WHERE _prompt = q._key AND \(filter) ORDER BY mi DESC, _id LIMIT \(top))
            ORDER BY q._text, b.mi DESC, b.id
            """
    }

    /// In the order of their keys, which is that of the index on samples: its pages are then read once, one after
    /// another.
    private static let prompts = "(SELECT key AS _key, text AS _text FROM prompt NOT INDEXED)"

    /// The first samples of each prompt by any ranking: all that fit are sorted.
    private func ranked(_ top: Int, _ column: String, _ scorers: [String]) -> String {
        """
        SELECT w.\(column) FROM
          (SELECT _sample, _id, _prompt, row_number() OVER (PARTITION BY _prompt ORDER BY \(order(scorers))) AS _place
           FROM \(source(scorers)) WHERE \(filter)) w
        JOIN prompt p ON p.key = w._prompt WHERE w._place <= \(top) ORDER BY p.text, w._place
        """
    }

    private func source(_ scorers: [String], _ more: String? = nil) -> String {
        CatalogueSource(mentionedIn: [condition, by, more], scorers: scorers).sql
    }

    // Each on a line of its own, so that a comment at its end comments out nothing else.
    private var filter: String { "(\(condition ?? "1")\n)" }
    private func order(_ scorers: [String]) -> String {
        guard let by else { return "_id" }
        // A scorer may be called as a word of SQL is.
        return scorers.contains(by) ? "\"\(by)\" DESC, _id" : "(\(by)\n) DESC, _id"
    }
}

/// One row of the catalogue.
package struct CatalogueRow: Sendable, Equatable {
    /// What conditions and rankings can name.
    package static let columns = CatalogueSource.names

    /// The columns that are scores of an image.
    package static let scores: [String: any KeyPath<CatalogueRow, Double?> & Sendable] = [
        "mi": \.mi, "mi_reference": \.miReference, "mc": \.mc, "mc_reference": \.mcReference, "contrast": \.contrast,
        "contrast_hard": \.contrastHard, "pointwise": \.pointwise, "rf": \.rf, "rf_cfg": \.guidedRF,
    ]

    package let id, recipe: Digest
    package let prompt, seed, model, sampler: String
    package let adapter, tag: String?
    /// What computed it, as "cuda 2.15.0"; nil for the CPU's own loops.
    package let engine: String?
    package let steps: Int
    package let guidance: Double
    /// Of the image, in pixels.
    package let width, height: Int
    /// Mutual information by the default estimator, in nats; nil without a usable trace.
    package let mi: Double?
    package let miStandardError: Double?
    package let miReference: Double?
    /// Where `mi` comes from: "generation" or "monte-carlo".
    package let miSource: String?
    /// What `score` measured, by the default and the reference estimator.
    package let mc, mcStandardError, mcReference: Double?
    /// Noise samples per timestep of that measurement.
    package let mcDraws: Int?
    /// Contrastive MI, soft and hard, and the point-wise form, where near misses were measured, and how many those were.
    package let contrast, contrastStandardError, contrastHard, pointwise: Double?
    package let nearMisses: Int?
    /// Of flow-matching models: the estimate, and that of the guided velocity.
    package let rf, guidedRF: Double?
    package let latentShape: [Int]
    /// Where the sample is.
    package let shard: Digest
    package let row: Int

    init(
        id: Digest, recipe: Digest, prompt: String, seed: String, origin: SampleOrigin, scores: Scores, shard: Digest,
        row: Int
    ) {
        (self.id, self.recipe, self.prompt, self.seed, self.shard, self.row) = (id, recipe, prompt, seed, shard, row)
        (model, sampler) = (origin.model.text, origin.sampler.text)
        (adapter, tag) = (origin.adapter?.text, origin.tag?.text)
        (steps, guidance, width, height) = (origin.steps, origin.guidance, origin.width, origin.height)
        (engine, latentShape) = (origin.engine?.text, origin.latentShape)
        (mi, miStandardError, miReference, miSource) = (scores.mi, scores.miError, scores.miReference, scores.miSource)
        (mc, mcStandardError, mcReference, mcDraws) = (scores.mc, scores.mcError, scores.mcReference, scores.mcDraws)
        (contrast, contrastStandardError) = (scores.contrast, scores.contrastError)
        (contrastHard, pointwise, nearMisses) = (scores.contrastHard, scores.pointwise, scores.nearMisses)
        (rf, guidedRF) = (scores.rf, scores.guidedRF)
    }

    struct Scores {
        var mi, miError, miReference: Double?
        var miSource: String?
        var mc, mcError, mcReference: Double?
        var mcDraws: Int?
        var contrast, contrastError, contrastHard, pointwise: Double?
        var nearMisses: Int?
        var rf, guidedRF: Double?
    }
}
