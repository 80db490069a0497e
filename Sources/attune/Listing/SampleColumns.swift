import ArgumentParser
import Corpus

/// The columns of a listing of samples, by the names that conditions use.
struct SampleColumns {
    private let names: [String]

    /// - Parameter scorers: whose annotations are columns too.
    init(_ text: String, scorers: [String]) throws {
        names = text.split(separator: ",").map(String.init)
        let known = CatalogueRow.columns + scorers
        if let unknown = names.first(where: { !known.contains($0) }) {
            throw ValidationError("no column '\(unknown)'; there are \(known.joined(separator: ", "))")
        }
        if names.isEmpty { throw ValidationError("--columns names no column") }
    }

    /// - Parameter annotations: by the samples' ids and the names of their scorers.
    func table(_ rows: [CatalogueRow], _ annotations: [String: [String: Double]]) -> Table {
        Table(columns: names, rows: rows.map { row in names.map { cell($0, row, annotations[row.id] ?? [:]) } })
    }

    private func cell(_ name: String, _ row: CatalogueRow, _ annotations: [String: Double]) -> String {
        switch name {
        case "id": String(row.id.prefix(12))
        case "prompt": row.prompt
        case "seed": row.seed
        case "model": row.model
        case "adapter": row.adapter ?? "-"
        case "sampler": row.sampler
        case "steps": String(row.steps)
        case "guidance": String(row.guidance)
        case "tag": row.tag ?? "-"
        case "mi": number(row.mi)
        case "mi_se": number(row.miStandardError)
        case "mi_reference": number(row.miReference)
        case "mi_source": row.miSource ?? "-"
        case "mc": number(row.mc)
        case "mc_se": number(row.mcStandardError)
        case "mc_reference": number(row.mcReference)
        case "mc_draws": row.mcDraws.map(String.init) ?? "-"
        case "rf": number(row.rf)
        case "rf_cfg": number(row.guidedRF)
        case "recipe": String(row.recipe.prefix(12))
        case "width": String(row.width)
        case "height": String(row.height)
        case "latent_shape": row.latentShape.map(String.init).joined(separator: "x")
        case "shard": String(row.shard.prefix(12))
        case "row": String(row.row)
        default: number(annotations[name])
        }
    }

    private func number(_ value: Double?) -> String {
        value.map { formatted($0, digits: 3) } ?? "-"
    }
}

/// A sample as listings print it in JSON, under the names of the catalogue's columns.
struct SampleListing: Encodable {
    let id, prompt, model, sampler, shard: String
    let seed: UInt64?
    let adapter, tag: String?
    let steps, row: Int
    let guidance: Double
    let mi, miSE, miReference: Double?
    let miSource: String?
    let mc, mcSE, mcReference: Double?
    let mcDraws: Int?
    let rf, guidedRF: Double?
    let recipe: String
    let width, height: Int
    let latentShape: [Int]
    /// By the names of their scorers.
    let annotations: [String: Double]

    enum CodingKeys: String, CodingKey {
        case id, prompt, model, sampler, shard, seed, adapter, tag, steps, row, guidance, mi, mc, rf, recipe, width,
            height
        case annotations
        case miSE = "mi_se"
        case miReference = "mi_reference"
        case miSource = "mi_source"
        case mcSE = "mc_se"
        case mcReference = "mc_reference"
        case mcDraws = "mc_draws"
        case guidedRF = "rf_cfg"
        case latentShape = "latent_shape"
    }

    init(_ sample: CatalogueRow, _ annotations: [String: Double] = [:]) {
        self.annotations = annotations
        (id, prompt, model, sampler) = (sample.id, sample.prompt, sample.model, sample.sampler)
        (shard, row, seed) = (sample.shard, sample.row, UInt64(sample.seed))
        (adapter, tag) = (sample.adapter, sample.tag)
        (steps, guidance) = (sample.steps, sample.guidance)
        (mi, miSE, miReference) = (sample.mi, sample.miStandardError, sample.miReference)
        (miSource, mc, mcSE) = (sample.miSource, sample.mc, sample.mcStandardError)
        (mcReference, mcDraws) = (sample.mcReference, sample.mcDraws)
        (rf, guidedRF) = (sample.rf, sample.guidedRF)
        (recipe, width, height, latentShape) = (sample.recipe, sample.width, sample.height, sample.latentShape)
    }
}
