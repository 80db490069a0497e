package import CorpusStore

/// The columns of a listing of samples, by the names that conditions use.
package struct SampleColumns {
    let names: [String]

    /// - Parameters:
    ///   - text: the names, separated by commas.
    ///   - scorers: whose annotations are columns too.
    /// - Throws: ``UsageError`` for a name that no column has.
    package init(_ text: String, scorers: [String]) throws(UsageError) {
        names = text.split(separator: ",").map(String.init)
        let known = CatalogueRow.columns + scorers
        if let unknown = names.first(where: { !known.contains($0) }) {
            throw UsageError("no column '\(unknown)'; there are \(known.joined(separator: ", "))")
        }
        if names.isEmpty { throw UsageError("--columns names no column") }
    }

    /// - Parameter annotations: by the samples' ids and the names of their scorers.
    package func table(_ rows: [CatalogueRow], _ annotations: [Digest: [String: Double]]) -> Table {
        Table(columns: names, rows: rows.map { row in names.map { cell($0, row, annotations[row.id] ?? [:]) } })
    }

    private func cell(_ name: String, _ row: CatalogueRow, _ annotations: [String: Double]) -> String {
        switch name {
        case "id": String(row.id.hex.prefix(12))
        case "prompt": row.prompt
        case "seed": row.seed
        case "model": row.model
        case "adapter": row.adapter ?? "-"
        case "sampler": row.sampler
        case "steps": String(row.steps)
        case "guidance": String(row.guidance)
        case "tag": row.tag ?? "-"
        case "engine": row.engine ?? "-"
        case "mi": number(row.mi)
        case "mi_se": number(row.miStandardError)
        case "mi_reference": number(row.miReference)
        case "mi_source": row.miSource ?? "-"
        case "mc": number(row.mc)
        case "mc_se": number(row.mcStandardError)
        case "mc_reference": number(row.mcReference)
        case "mc_draws": row.mcDraws.map(String.init) ?? "-"
        case "contrast": number(row.contrast)
        case "contrast_se": number(row.contrastStandardError)
        case "contrast_hard": number(row.contrastHard)
        case "pointwise": number(row.pointwise)
        case "near_misses": row.nearMisses.map(String.init) ?? "-"
        case "rf": number(row.rf)
        case "rf_cfg": number(row.guidedRF)
        case "recipe": String(row.recipe.hex.prefix(12))
        case "width": String(row.width)
        case "height": String(row.height)
        case "latent_shape": row.latentShape.map(String.init).joined(separator: "x")
        case "shard": String(row.shard.hex.prefix(12))
        case "row": String(row.row)
        default: number(annotations[name])
        }
    }

    private func number(_ value: Double?) -> String {
        value.map { formatted($0, digits: 3) } ?? "-"
    }
}
