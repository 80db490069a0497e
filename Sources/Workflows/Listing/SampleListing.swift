package import CorpusStore

/// A sample as listings print it in JSON, under the names of the catalogue's columns.
package struct SampleListing: Encodable {
    package let id, shard: Digest
    package let prompt, model, sampler: String
    package let seed: UInt64?
    package let adapter, tag, engine: String?
    package let steps, row: Int
    package let guidance: Double
    package let mi, miSE, miReference: Double?
    package let miSource: String?
    package let mc, mcSE, mcReference: Double?
    package let mcDraws: Int?
    package let contrast, contrastSE, contrastHard, pointwise: Double?
    package let nearMisses: Int?
    package let rf, guidedRF: Double?
    package let recipe: Digest
    package let width, height: Int
    package let latentShape: [Int]
    /// By the names of their scorers.
    package let annotations: [String: Double]
    /// Columns and scorers that are printed; nil for all.
    private let chosen: Set<String>?

    package enum CodingKeys: String, CodingKey, CaseIterable {
        case id, prompt, model, sampler, shard, seed, adapter, tag, steps, row, guidance, mi, mc, contrast, pointwise,
            rf, recipe, width, height, engine
        case annotations
        case miSE = "mi_se"
        case miReference = "mi_reference"
        case miSource = "mi_source"
        case mcSE = "mc_se"
        case mcReference = "mc_reference"
        case mcDraws = "mc_draws"
        case contrastSE = "contrast_se"
        case contrastHard = "contrast_hard"
        case nearMisses = "near_misses"
        case guidedRF = "rf_cfg"
        case latentShape = "latent_shape"
    }

    /// - Parameter chosen: the columns and scorers to print; nil for all.
    package init(_ sample: CatalogueRow, _ annotations: [String: Double] = [:], chosen: Set<String>? = nil) {
        self.chosen = chosen
        self.annotations = chosen.map { chosen in annotations.filter { chosen.contains($0.key) } } ?? annotations
        (id, prompt, model, sampler) = (sample.id, sample.prompt, sample.model, sample.sampler)
        (shard, row, seed) = (sample.shard, sample.row, UInt64(sample.seed))
        (adapter, tag, engine) = (sample.adapter, sample.tag, sample.engine)
        (steps, guidance) = (sample.steps, sample.guidance)
        (mi, miSE, miReference) = (sample.mi, sample.miStandardError, sample.miReference)
        (miSource, mc, mcSE) = (sample.miSource, sample.mc, sample.mcStandardError)
        (mcReference, mcDraws) = (sample.mcReference, sample.mcDraws)
        (contrast, contrastSE) = (sample.contrast, sample.contrastStandardError)
        (contrastHard, pointwise, nearMisses) = (sample.contrastHard, sample.pointwise, sample.nearMisses)
        (rf, guidedRF) = (sample.rf, sample.guidedRF)
        (recipe, width, height, latentShape) = (sample.recipe, sample.width, sample.height, sample.latentShape)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        func put(_ value: (some Encodable)?, _ key: CodingKeys) throws {
            if chosen?.contains(key.stringValue) ?? true { try container.encodeIfPresent(value, forKey: key) }
        }
        try put(id, .id)
        try put(prompt, .prompt)
        try put(seed, .seed)
        try put(model, .model)
        try put(adapter, .adapter)
        try put(sampler, .sampler)
        try put(steps, .steps)
        try put(guidance, .guidance)
        try put(tag, .tag)
        try put(engine, .engine)
        try put(mi, .mi)
        try put(miSE, .miSE)
        try put(miReference, .miReference)
        try put(miSource, .miSource)
        try put(mc, .mc)
        try put(mcSE, .mcSE)
        try put(mcReference, .mcReference)
        try put(mcDraws, .mcDraws)
        try put(contrast, .contrast)
        try put(contrastSE, .contrastSE)
        try put(contrastHard, .contrastHard)
        try put(pointwise, .pointwise)
        try put(nearMisses, .nearMisses)
        try put(rf, .rf)
        try put(guidedRF, .guidedRF)
        try put(recipe, .recipe)
        try put(width, .width)
        try put(height, .height)
        try put(latentShape, .latentShape)
        try put(shard, .shard)
        try put(row, .row)
        // The scorers' columns.
        if chosen == nil || !annotations.isEmpty { try container.encode(annotations, forKey: .annotations) }
    }
}
