import CorpusStore
import Statistics

/// From the images of an evaluation to its figures.
struct EvaluationFigures {
    private let made: EvaluatedImages
    private let scores: [ScoreForm]
    private let categories: PromptCategories
    private let bootstrap: Bootstrap

    init(_ made: EvaluatedImages, scores: [ScoreForm], categories: PromptCategories, _ bootstrap: Bootstrap) {
        (self.made, self.scores, self.categories, self.bootstrap) = (made, scores, categories, bootstrap)
    }

    /// An image with its values.
    private struct Valued {
        let image: EvaluatedImages.Image
        let values: [String: Double]
    }

    /// Images of one model at one guidance.
    private struct Group: Hashable {
        let model: String
        let guidance: Double
    }

    func report(
        _ settings: EvaluationReport.Settings, in corpus: Corpus, monitor: some WorkMonitor
    ) throws -> EvaluationReport {
        var report = EvaluationReport(settings)
        let (names, valued) = try values(corpus, monitor, &report)
        let groups = ordered(valued)
        for (group, images) in groups {
            for category in categoryNames(images) { results(group, images, category, names, &report) }
            report.prompts += promptResults(group, images)
        }
        if let referee = made.referee?.name { best(referee, groups.map(\.group), &report) }
        differences(groups, names, &report)
        if let referee = made.referee?.name {
            let judged = JudgedImages(
                valued.compactMap { one in
                    one.values[referee].map { verdict in
                        JudgedImages.Image(
                            group: "\(one.image.model)\u{0}\(one.image.guidance)\u{0}\(one.image.row.prompt)",
                            prompt: one.image.row.prompt, category: categories[one.image.row.prompt], referee: verdict,
                            scores: one.values)
                    }
                })
            report.agreement = judged.agreements(of: names.filter { $0 != referee }, bootstrap)
            if let note = judged.note { report.notes.append(note) }
        }
        return report
    }

    /// The referee, the scores that were asked for, and those that all images have.
    private func values(
        _ corpus: Corpus, _ monitor: some WorkMonitor, _ report: inout EvaluationReport
    ) throws -> (names: [String], images: [Valued]) {
        var rows: [CatalogueRow] = []
        var seen: Set<Digest> = []
        for image in made.images where seen.insert(image.row.id).inserted { rows.append(image.row) }
        // What was measured since the rows were read.
        let fresh = try corpus.rows(rows.map(\.id))
        rows = rows.compactMap { fresh[$0.id] }
        var found: [(name: String, values: [Digest: Double])] = []
        if let referee = made.referee {
            found.append((referee.name, try referee.values(of: rows, in: corpus, monitor: monitor)))
        }
        for score in scores where !found.contains(where: { $0.name == score.text }) {
            found.append((score.text, try score.requiredValues(of: rows, in: corpus)))
        }
        for name in try ScoreForm.usual + corpus.scorers() {
            guard !found.contains(where: { $0.name == name }) else { continue }
            let values = try ScoreForm(name).values(of: rows, in: corpus)
            if values.count == rows.count {
                found.append((name, values))
            } else if !values.isEmpty {
                report.notes.append(
                    "\(name) is left out: \(rows.count - values.count) of \(rows.count) images have no value of it")
            }
        }
        let images = made.images.map { image in
            Valued(
                image: image,
                values: Dictionary(found.compactMap { score in score.values[image.row.id].map { (score.name, $0) } }) {
                    first, _ in first
                })
        }
        return (found.map(\.name), images)
    }

    private func ordered(_ valued: [Valued]) -> [(group: Group, images: [Valued])] {
        var order: [Group] = []
        var images: [Group: [Valued]] = [:]
        for one in valued {
            let group = Group(model: one.image.model, guidance: one.image.guidance)
            if images[group] == nil { order.append(group) }
            images[group, default: []].append(one)
        }
        return order.map { ($0, images[$0] ?? []) }
    }

    private func categoryNames(_ images: [Valued]) -> [String] {
        ["all"] + Set(images.compactMap { categories[$0.image.row.prompt] }).sorted()
    }

    private func isOf(_ category: String, _ one: Valued) -> Bool {
        category == "all" || categories[one.image.row.prompt] == category
    }

    private func byPrompt(_ images: [Valued], _ category: String, _ name: String) -> ByPrompt {
        var means = ByPrompt()
        for one in images where isOf(category, one) { means.add(one.image.row.prompt, one.values[name]) }
        return means
    }

    private func results(
        _ group: Group, _ images: [Valued], _ category: String, _ names: [String], _ report: inout EvaluationReport
    ) {
        for name in names {
            guard let value = byPrompt(images, category, name).mean(bootstrap) else { continue }
            report.results.append(
                .init(
                    model: group.model, guidance: group.guidance, category: category, score: name, value: value,
                    images: images.count { isOf(category, $0) }))
        }
    }

    private func promptResults(_ group: Group, _ images: [Valued]) -> [EvaluationReport.PromptResult] {
        var order: [String] = []
        var byPrompt: [String: [Valued]] = [:]
        for one in images {
            if byPrompt[one.image.row.prompt] == nil { order.append(one.image.row.prompt) }
            byPrompt[one.image.row.prompt, default: []].append(one)
        }
        return order.map { prompt in
            let own = byPrompt[prompt] ?? []
            let values = own.reduce(into: [String: Double]()) { sums, one in
                for (name, value) in one.values { sums[name, default: 0] += value / Double(own.count) }
            }
            return .init(
                prompt: prompt, category: categories[prompt], model: group.model, guidance: group.guidance,
                values: values)
        }
    }

    private func best(_ referee: String, _ groups: [Group], _ report: inout EvaluationReport) {
        let means = report.results.filter { $0.category == "all" && $0.score == referee }
        var models: [String] = []
        for group in groups where !models.contains(group.model) { models.append(group.model) }
        for model in models {
            guard let most = means.filter({ $0.model == model }).max(by: { $0.value.mean < $1.value.mean }) else {
                continue
            }
            report.best.append(.init(model: model, guidance: most.guidance, value: most.value))
        }
    }

    /// Of each adapter and those before it, base first: at the same guidance, and each at its best.
    private func differences(
        _ groups: [(group: Group, images: [Valued])], _ names: [String], _ report: inout EvaluationReport
    ) {
        var pairs: [(Group, Group)] = []
        for (place, (group, _)) in groups.enumerated() {
            for (other, _) in groups[..<place] where other.model != group.model && other.guidance == group.guidance {
                pairs.append((group, other))
            }
        }
        for (place, one) in report.best.enumerated() {
            for other in report.best[..<place] where other.guidance != one.guidance {
                pairs.append(
                    (
                        Group(model: one.model, guidance: one.guidance),
                        Group(model: other.model, guidance: other.guidance)
                    ))
            }
        }
        let images = Dictionary(groups.map { ($0.group, $0.images) }) { first, _ in first }
        for (one, other) in pairs {
            for category in categoryNames(images[one] ?? []) {
                for name in names {
                    let base = byPrompt(images[other] ?? [], category, name).means
                    var changes = ByPrompt()
                    for (prompt, value) in byPrompt(images[one] ?? [], category, name).means {
                        changes.add(prompt, base[prompt].map { value - $0 })
                    }
                    guard let value = changes.mean(bootstrap) else { continue }
                    report.differences.append(
                        .init(
                            model: one.model, baseline: other.model, guidance: one.guidance,
                            baselineGuidance: other.guidance, category: category, score: name, value: value))
                }
            }
        }
    }
}
