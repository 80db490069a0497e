import Codecs
import CorpusStore
import Foundation
import Markup

/// What each address answers, from plain values to plain values. Called where blocking is allowed.
package struct Handlers: Sendable {
    let data: GalleryData

    func layout(
        _ title: String, _ place: Layout.Place?, _ visit: Visit, scripts: [String] = [], isWide: Bool = false
    ) throws -> Layout {
        let problem = try data.lookAround()
        return Layout(
            title: title, place: place, visit: visit, scripts: scripts, warning: problem?.description, isWide: isWide)
    }

    private var name: String { data.corpus.folder.lastPathComponent }

    // MARK: - Pages

    func overview(_ visit: Visit) throws -> Answer {
        let layout = try layout(name, .overview, visit)
        let overview = try data.overview(score: visit.query["score"] ?? "mi")
        return .page(OverviewPage.page(overview, runs: try allRuns(), corpus: name, layout))
    }

    func samples(_ visit: Visit) throws -> Answer {
        let layout = try layout("Samples", .samples, visit, scripts: ["grid.js"], isWide: true)
        let choices = GridPage.Choices(
            scores: try data.browser.scores(), selections: try data.corpus.selectionNames())
        do {
            let query = try GridQuery(visit.query)
            let listing = try data.listing(query)
            let rows = try GridRows(
                listing, 0..<GridPage.firstRows(query.view), query, marked: visit.query["mark"] ?? visit.query["in"],
                in: data)
            return .page(try GridPage.page(query, rows, note: listing.note, choices, layout))
        } catch let error as CorpusError where error.code == .badQuery || error.code == .notFound {
            return .page(GridPage.failure(error.description, choices, layout), status: 400)
        } catch let refusal as Refusal {
            return .page(GridPage.failure(refusal.reason, choices, layout), status: refusal.status)
        }
    }

    /// Rows of the grid, for its script.
    func gridRows(_ visit: Visit) throws -> Answer {
        let query = try GridQuery(visit.query)
        let from = visit.query["from"].flatMap { Int($0) } ?? 0
        let count = min(visit.query["count"].flatMap { Int($0) } ?? 50, query.view == .prompts ? 24 : 200)
        guard from >= 0, from <= 10_000_000, count > 0 else { throw Refusal.unusable("from and count must be counts") }
        let listing = try data.listing(query)
        let rows = try GridRows(
            listing, from..<from + count, query, marked: visit.query["mark"] ?? visit.query["in"], in: data)
        return Answer(type: "application/json", body: rows.bytes)
    }

    func sample(_ id: String, _ visit: Visit) throws -> Answer {
        let detail = try SampleDetail(data.row(id), in: data)
        let selections = try data.corpus.selectionNames().prefix(50).map { name throws(CorpusError) in
            (name: name, digest: try data.present(name))
        }
        let title = Components.shortened(detail.row.prompt, to: 80)
        return .page(
            SamplePage.page(detail, selections: selections, try layout(title, .samples, visit, scripts: ["sample.js"])))
    }

    func selections(_ visit: Visit) throws -> Answer {
        .page(SelectionsPage.page(try Overview.selections(data), try layout("Selections", .selections, visit)))
    }

    func compare(_ visit: Visit) throws -> Answer {
        let layout = try layout("Compare", .compare, visit, scripts: ["compare.js"])
        if let first = visit.query["a"], let second = visit.query["b"] {
            return .page(
                ComparePage.two(
                    try SampleDetail(data.row(first), in: data), try SampleDetail(data.row(second), in: data), layout))
        }
        let choices = ComparePage.Choices(
            selections: try data.corpus.selectionNames(),
            adapters: Array(Set(try data.browser.origins().compactMap(\.adapter))).sorted(),
            folders: data.folders.folders.map(\.name))
        guard let sides = try sides(visit) else { return .page(ComparePage.start(choices, layout)) }
        do {
            let comparison = try Comparison(sides.left, sides.right, in: data)
            guard !comparison.pairs.isEmpty else {
                return .page(
                    ComparePage.start(
                        choices,
                        message:
                            "The sides have no prompt in common: \(sides.left.name) has \(comparison.counts.left) images, \(sides.right.name) has \(comparison.counts.right).",
                        layout))
            }
            let place = min(max(visit.query["i"].flatMap { Int($0) } ?? 0, 0), comparison.pairs.count - 1)
            return .page(
                ComparePage.pair(
                    comparison, place: place, sides: sides, isBlind: visit.query["blind"] == "1",
                    tally: try comparison.tally(data), size: data.folders.size, layout))
        } catch let error as CorpusError where error.code == .badQuery || error.code == .notFound {
            return .page(ComparePage.start(choices, message: error.description, layout), status: 400)
        }
    }

    /// The form gives a condition beside the kind of a side.
    private func sides(_ visit: Visit) throws -> (left: ComparisonSide, right: ComparisonSide)? {
        func side(_ name: String) throws -> ComparisonSide? {
            guard let text = visit.query[name] else { return nil }
            return try ComparisonSide(text == "where:" ? "where:\(visit.query["\(name)-where"] ?? "1")" : text)
        }
        guard let left = try side("left"), let right = try side("right") else { return nil }
        return (left, right)
    }

    func runs(_ visit: Visit) throws -> Answer {
        .page(RunsPage.page(try allRuns(), try layout("Runs", .runs, visit)))
    }

    func run(_ name: String, _ visit: Visit) throws -> Answer {
        .page(RunPage.page(try data.runs.run(name), try layout("Run \(name)", .runs, visit, scripts: ["run.js"])))
    }

    /// The part of a run's page that changes.
    func liveRun(_ name: String) throws -> Answer {
        let run = try data.runs.run(name)
        return Answer(
            type: "text/html; charset=utf-8", body: RunPage.live(run).bytes, caching: .revalidate,
            tag: "\(run.version)-\(RunsPage.state(run))")
    }

    private func allRuns() throws -> [RunHistories.Run] { try data.runs.names().map { try data.runs.run($0) } }

    // MARK: - Images

    func tile(_ id: String, _ visit: Visit) throws -> Answer {
        let side = visit.query["side"].flatMap { Int($0) } ?? GridQuery.Size.medium.pixels
        guard GridQuery.Size.allCases.contains(where: { $0.pixels == side }) else {
            throw Refusal.unusable(
                "side is one of \(GridQuery.Size.allCases.map { String($0.pixels) }.joined(separator: ", "))")
        }
        let image = try data.thumbnails.scaled(data.row(id), to: side)
        return Answer(type: image.type, body: image.bytes, caching: .forever)
    }

    func image(_ name: String) throws -> Answer {
        guard name.hasSuffix(".png") else { throw Refusal.missing("images are called ID.png") }
        let image = try data.thumbnails.original(data.row(String(name.dropLast(4))))
        return Answer(type: image.type, body: image.bytes, caching: .forever)
    }

    /// An image of a named folder.
    func folderImage(_ token: String) throws -> Answer {
        let (bytes, format) = try data.folders.bytes(data.folders.image(token))
        return Answer(
            type: "image/\(format.rawValue.lowercased())", body: bytes, caching: .revalidate,
            tag: String(Digest(of: bytes).hex.prefix(32)))
    }

    func validationImage(_ run: String, step: String, image: String) throws -> Answer {
        guard let step = Int(step), let image = Int(image) else { throw Refusal.missing("no such image") }
        let bytes = try data.runs.validationImage(run, step: step, image: image)
        return Answer(type: "image/png", body: bytes, caching: .revalidate)
    }

    // MARK: - Changes

    func mark(_ visit: Visit) throws -> Answer {
        struct Marks: Decodable {
            var marks: [GalleryData.MarkRequest]
        }
        let marks = try visit.json(Marks.self).marks
        try data.mark(marks)
        return try .json(["marked": marks.count])
    }

    func vote(_ visit: Visit) throws -> Answer {
        let form = visit.form
        guard let first = form["first"], let second = form["second"], let text = form["winner"], let winner = Int(text),
            (0...2).contains(winner)
        else { throw Refusal.unusable("a vote has first, second and winner: 1, 2 or 0") }
        let place = winner == 0 ? nil : winner - 1
        if let first = Digest(hex: first), let second = Digest(hex: second) {
            try data.vote([first, second], winner: place)
        } else {
            try data.folderVotes.add(data.folders.image(first), data.folders.image(second), winner: place)
        }
        return .redirect(to: Self.own(form["back"]) ?? "/compare")
    }

    func changeSelection(_ visit: Visit) throws -> Answer {
        let form = visit.form
        guard let name = form["name"] else { throw Refusal.unusable("name the selection") }
        let ids = try form.items.filter { $0.name == "id" }.map { item in
            guard let id = Digest(hex: item.value) else {
                throw Refusal.unusable("'\(item.value.prefix(80))' is not a sample's id")
            }
            return id
        }
        let present = try data.present(name)
        // A page that knows what it changes says so; else it is what is there now.
        let seen = form.has("seen") ? form["seen"].flatMap { Digest(hex: $0) } : present
        let back = Self.own(form["back"])
        switch form["action"] {
        case "picks":
            _ = try data.storePicks(as: name, replacing: seen)
        case "area", "area-add":
            let inside = try samplesInArea(form["state"])
            if form["action"] == "area" {
                try data.corpus.store(Selection(ids: inside, policy: .list), as: name, replacing: seen)
            } else {
                _ = try data.change(name, seen: seen, adding: inside, removing: [])
            }
        case "merge": _ = try data.applyPicks(to: name, seen: seen)
        case "add": _ = try data.change(name, seen: seen, adding: ids, removing: [])
        case "remove": _ = try data.change(name, seen: seen, adding: [], removing: ids)
        default: throw Refusal.unusable("action is picks, merge, area, area-add, add or remove")
        }
        return .redirect(to: back ?? Query([("in", name)]).address("/samples"))
    }

    /// An address of this gallery, never of another site.
    package static func own(_ address: String?) -> String? {
        guard let address, address.hasPrefix("/"), !address.hasPrefix("//"), !address.contains("\\"),
            address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return address
    }
}
