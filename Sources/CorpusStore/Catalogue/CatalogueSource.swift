/// What conditions and rankings see: the columns of ``CatalogueRow``, joined from only the tables that they need.
///
/// A condition on `mi` alone then counts ten million samples from one index.
struct CatalogueSource {
    /// Names of tables: s(ample), p(rompt), o(rigin), h for the shard.
    private static let expressions: [(name: String, sql: String)] = [
        ("id", "lower(hex(s.id))"), ("recipe", "lower(hex(s.recipe))"), ("prompt", "p.text"), ("seed", "s.seed"),
        ("model", "o.model"), ("adapter", "o.adapter"), ("sampler", "o.sampler"), ("steps", "o.steps"),
        ("guidance", "o.guidance"), ("width", "o.width"), ("height", "o.height"), ("tag", "o.tag"),
        ("mi", "s.mi"), ("mi_se", "s.mi_se"), ("mi_reference", "s.mi_reference"), ("mi_source", "s.mi_source"),
        ("mc", "s.mc"), ("mc_se", "s.mc_se"), ("mc_reference", "s.mc_reference"), ("mc_draws", "s.mc_draws"),
        ("contrast", "s.contrast"), ("contrast_se", "s.contrast_se"), ("contrast_hard", "s.contrast_hard"),
        ("pointwise", "s.pointwise"), ("near_misses", "s.near_misses"),
        ("rf", "s.rf"), ("rf_cfg", "s.rf_cfg"),
        ("engine", "o.engine"), ("latent_shape", "o.latent_shape"), ("shard", "lower(hex(h.digest))"), ("row", "s.row"),
    ]

    static let names = expressions.map(\.name)

    /// Columns that version 0.2 did not have: its annotations may be called so. Such a name now means the column.
    static let newNames: Set<String> = ["contrast", "contrast_se", "contrast_hard", "pointwise", "near_misses"]

    /// For internal use: keys that no condition is expected to name.
    private static let keys = "s.key AS _sample, s.prompt AS _prompt, s.id AS _id"

    private let used: [(name: String, sql: String)]

    /// All columns but those of annotations.
    static let all = CatalogueSource(used: expressions)

    private init(used: [(name: String, sql: String)]) { self.used = used }

    /// The columns that some texts mention; a word that only looks like a column costs a join and nothing else.
    ///
    /// - Parameter scorers: names that stand for their annotations: letters, digits and `_`.
    init(mentionedIn texts: [String?], scorers: [String]) {
        let words = Set(
            texts.compactMap { $0?.lowercased() }
                .flatMap { $0.split { !($0.isLetter || $0.isNumber || $0 == "_") } }.map(String.init))
        let annotations = scorers.filter { !Self.newNames.contains($0) }.map { name in
            let scorer = "(SELECT key FROM scorer WHERE name = '\(name)')"
            return (name: name, sql: "(SELECT value FROM annotation WHERE scorer = \(scorer) AND sample = s.id)")
        }
        used = (Self.expressions + annotations).filter { words.contains($0.name) }
    }

    var columns: String { used.map { "\($0.sql) AS \"\($0.name)\"" }.joined(separator: ", ") }

    var tables: String {
        func join(_ table: String, _ letter: Character, _ key: String) -> String {
            used.contains { $0.sql.contains("\(letter).") } ? " JOIN \(table) \(letter) ON \(letter).key = \(key)" : ""
        }
        return "FROM sample s" + join("prompt", "p", "s.prompt") + join("origin", "o", "s.origin")
            + join("shard", "h", "s.shard")
    }

    /// A table of these columns, and of the keys `_sample`, `_prompt` and `_id`.
    var sql: String { "(SELECT \(Self.keys)\(used.isEmpty ? "" : ", " + columns) \(tables))" }
}
