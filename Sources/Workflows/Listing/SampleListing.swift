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

    package enum CodingKeys: String, CodingKey {
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

    package init(_ sample: CatalogueRow, _ annotations: [String: Double] = [:]) {
        self.annotations = annotations
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
}
