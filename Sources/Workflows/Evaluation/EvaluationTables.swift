import Statistics

/// An evaluation as tables.
package enum EvaluationTables {
    /// What is printed of a report, in order.
    package static func all(_ report: EvaluationReport) -> [Table] {
        [
            results(report), categories(report), differences(report), quality(report), agreement(report.agreement),
        ].compactMap(\.self)
    }

    /// A judged folder: the share that is aligned, in all and by category.
    package static func judged(_ result: ShapesFolder.Result) -> Table {
        var table = Table(columns: ["category", "images", "aligned"])
        func row(_ name: String, _ images: Int, _ share: Double) -> [String] {
            [name, String(images), formatted(share, digits: 3)]
        }
        for (name, share) in result.categories.sorted(by: { $0.key < $1.key }) {
            table.rows.append(row(name, result.images.count { $0.category == name }, share))
        }
        table.rows.append(row("all", result.images.count, result.aligned))
        return table
    }

    /// Means with their intervals: a row for each model and guidance, a column for each score, over all prompts.
    package static func results(_ report: EvaluationReport) -> Table {
        let scores = report.scores
        var table = Table(columns: ["model", "guidance", "prompts"] + scores)
        for model in models(report) {
            for guidance in report.settings.guidance {
                let rows = report.results.filter {
                    $0.model == model && $0.guidance == guidance && $0.category == "all"
                }
                guard let first = rows.first else { continue }
                table.rows.append(
                    [model, "\(guidance)", String(first.value.count)]
                        + scores.map { score in rows.first { $0.score == score }.map { cell($0.value) } ?? "-" })
            }
        }
        return table
    }

    /// The referee's means by category, each model at its best guidance.
    package static func categories(_ report: EvaluationReport) -> Table? {
        guard let referee = report.settings.referee else { return nil }
        let names = categoryNames(report.results.map(\.category))
        guard names.count > 1 else { return nil }
        var table = Table(columns: ["model", "guidance"] + names)
        for best in report.best {
            let rows = report.results.filter {
                $0.model == best.model && $0.guidance == best.guidance && $0.score == referee
            }
            table.rows.append(
                [best.model, "\(best.guidance)"]
                    + names.map { name in rows.first { $0.category == name }.map { cell($0.value) } ?? "-" })
        }
        return table
    }

    /// Differences of the referee's means over all prompts; a star marks intervals without 0.
    package static func differences(_ report: EvaluationReport) -> Table? {
        guard let referee = report.settings.referee else { return nil }
        let rows = report.differences.filter { $0.category == "all" && $0.score == referee }
        guard !rows.isEmpty else { return nil }
        return Table(
            columns: ["model", "at", "against", "at", "difference"],
            rows: rows.map {
                [
                    $0.model, "\($0.guidance)", $0.baseline, "\($0.baselineGuidance)",
                    cell($0.value) + ($0.value.excludesZero ? " *" : ""),
                ]
            })
    }

    /// How far images are from real ones; less is better.
    package static func quality(_ report: EvaluationReport) -> Table? {
        guard let quality = report.quality, !quality.isEmpty else { return nil }
        return Table(
            columns: ["model", "guidance", "images", "distance to real images"],
            rows: quality.map { one in
                let interval = one.low.flatMap { low in one.high.map { high in (low, high) } }
                return [
                    one.model, "\(one.guidance)", String(one.images),
                    formatted(one.value, digits: 3)
                        + (interval.map { " [\(formatted($0.0, digits: 3)), \(formatted($0.1, digits: 3))]" } ?? ""),
                ]
            })
    }

    /// A row for each score: how well it ranks within prompts, in all and by category.
    package static func agreement(_ agreement: [Agreement]) -> Table? {
        guard !agreement.isEmpty else { return nil }
        let names = categoryNames(agreement.map(\.category))
        let hasAUC = agreement.contains { $0.auc != nil }
        var table = Table(
            columns: ["score", "prompts", hasAUC ? "AUC" : "Spearman", "top-1", "chance", "chosen"] + names.dropFirst())
        var seen: Set<String> = []
        for score in agreement.map(\.score) where seen.insert(score).inserted {
            let own = agreement.filter { $0.score == score }
            func value(_ one: Agreement) -> MeanInterval? { hasAUC ? one.auc : one.spearman }
            guard let all = own.first(where: { $0.category == "all" }) else { continue }
            table.rows.append(
                [
                    score, String(all.chance?.count ?? 0), value(all).map(cell) ?? "-", all.top.map(cell) ?? "-",
                    all.chance.map { formatted($0.mean, digits: 3) } ?? "-", all.chosen.map(cell) ?? "-",
                ]
                    + names.dropFirst().map { name in
                        own.first { $0.category == name }.flatMap(value).map { formatted($0.mean, digits: 2) } ?? "-"
                    })
        }
        return table
    }

    private static func models(_ report: EvaluationReport) -> [String] {
        ["base"] + report.settings.adapters.map(\.label)
    }

    private static func categoryNames(_ names: [String]) -> [String] {
        ["all"] + Set(names).subtracting(["all"]).sorted()
    }

    private static func cell(_ value: MeanInterval) -> String {
        "\(formatted(value.mean, digits: 3)) [\(formatted(value.low, digits: 3)), \(formatted(value.high, digits: 3))]"
    }
}
