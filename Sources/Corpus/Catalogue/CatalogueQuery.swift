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

    /// How many samples fit, whatever is kept of them.
    var countSQL: String { "SELECT count(*) FROM \(source()) WHERE \(filter)" }

    /// One column of the chosen samples, in their order.
    ///
    /// - Parameter column: `_sample`, the key of the row, or `_id`, the digest.
    func sql(_ column: String) -> String {
        guard perPrompt else {
            return
                "SELECT \(column) FROM \(source()) WHERE \(filter) ORDER BY \(order)\(top.map { " LIMIT \($0)" } ?? "")"
        }
        guard let top else {
            return "SELECT \(column) FROM \(source("prompt")) WHERE \(filter) ORDER BY prompt, \(order)"
        }
        return by == "mi" ? best(top, column) : ranked(top, column)
    }

    /// The first samples of each prompt, off the index that has them in order.
    private func best(_ top: Int, _ column: String) -> String {
        """
        SELECT b.\(column == "_id" ? "id" : "key") FROM (SELECT key AS _key, text AS _text FROM prompt) q
        CROSS JOIN sample b ON b.key IN
          (SELECT _sample FROM \(source()) WHERE _prompt = q._key AND \(filter) ORDER BY mi DESC, _id LIMIT \(top))
        ORDER BY q._text, b.mi DESC, b.id
        """
    }

    /// The first samples of each prompt by any ranking: all that fit are sorted.
    private func ranked(_ top: Int, _ column: String) -> String {
        """
        SELECT w.\(column) FROM
          (SELECT _sample, _id, _prompt, row_number() OVER (PARTITION BY _prompt ORDER BY \(order)) AS _place
           FROM \(source()) WHERE \(filter)) w
        JOIN prompt p ON p.key = w._prompt WHERE w._place <= \(top) ORDER BY p.text, w._place
        """
    }

    private func source(_ more: String? = nil) -> String {
        CatalogueSource(mentionedIn: [condition, by, more]).sql
    }

    // Each on a line of its own, so that a comment at its end comments out nothing else.
    private var filter: String { "(\(condition ?? "1")\n)" }
    private var order: String { by.map { "(\($0)\n) DESC, _id" } ?? "_id" }
}

/// One row of the catalogue.
package struct CatalogueRow: Sendable, Equatable {
    /// What conditions and rankings can name.
    package static let columns = CatalogueSource.names

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

    /// - Parameter values: of the view `samples`.
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
