import GRDB

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

    var sql: String {
        let order = by.map { "(\($0)) DESC, id" } ?? "id"
        // The line break ends a comment that would swallow what follows.
        let source = "samples WHERE (\(condition ?? "1")\n)"
        guard let top else { return "SELECT * FROM \(source) ORDER BY \(perPrompt ? "prompt, " : "")\(order)" }
        guard perPrompt else { return "SELECT * FROM \(source) ORDER BY \(order) LIMIT \(top)" }
        let ranked = "SELECT *, row_number() OVER (PARTITION BY prompt ORDER BY \(order)) AS place FROM \(source)"
        return "SELECT * FROM (\(ranked)) WHERE place <= \(top) ORDER BY prompt, place"
    }
}

/// One row of the catalogue.
package struct CatalogueRow: Sendable, Equatable {
    /// What conditions and rankings can name.
    package static let columns = [
        "id", "recipe", "prompt", "seed", "model", "adapter", "sampler", "steps", "guidance", "width", "height", "tag",
        "mi", "mi_se", "mi_reference", "mi_source", "mc", "mc_se", "mc_reference", "mc_draws", "latent_shape", "shard",
        "row",
    ]

    package let id, recipe, prompt, seed, model, sampler: String
    package let adapter, tag: String?
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
    /// Noises at each timestep of that measurement.
    package let mcDraws: Int?
    package let latentShape: [Int]
    /// Where the sample lies.
    package let shard: String
    package let row: Int

    init(_ values: Row) {
        (id, recipe, prompt) = (values["id"], values["recipe"], values["prompt"])
        let number: DatabaseValue = values["seed"]
        seed = Int64.fromDatabaseValue(number).map(String.init) ?? String.fromDatabaseValue(number) ?? ""
        (model, sampler, adapter, tag) = (values["model"], values["sampler"], values["adapter"], values["tag"])
        (width, height) = (values["width"], values["height"])
        (steps, guidance) = (values["steps"], values["guidance"])
        (mi, miStandardError, miReference) = (values["mi"], values["mi_se"], values["mi_reference"])
        miSource = values["mi_source"]
        (mc, mcStandardError, mcReference) = (values["mc"], values["mc_se"], values["mc_reference"])
        mcDraws = values["mc_draws"]
        let shape: String = values["latent_shape"]
        latentShape = shape.split(separator: "x").compactMap { Int($0) }
        (shard, row) = (values["shard"], values["row"])
    }
}
