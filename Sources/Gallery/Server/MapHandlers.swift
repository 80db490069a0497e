import CorpusStore
import Foundation
import Plots
import Workflows

extension Handlers {
    /// The page of a map, or how far the map is.
    func map(_ visit: Visit) throws -> Answer {
        var layout = try layout("Map", .map, visit, scripts: ["map.js"], isWide: true)
        let choices = MapPage.Choices(
            maps: try EmbeddingJob.names(data.corpus), columns: Self.groupings + (try data.browser.scores()),
            selections: try data.corpus.selectionNames())
        let unasked = try MapQuery(Query(""))
        do {
            let query = try MapQuery(visit.query)
            let name = try data.mapName(query)
            switch try data.maps.map(name) {
            case .making(let done, let all):
                layout.refresh = 2
                return .page(
                    MapPage.without(
                        query, name,
                        "The map of \(name) is being made\(Self.share(done, of: all)). This page loads again by itself.",
                        isWaiting: true, choices, layout))
            case .failed(let error):
                return .page(
                    MapPage.without(
                        query, name, "There is no map of \(name): \(error)", isWaiting: false, choices, layout))
            case .ready(let map):
                let listing = try data.points(query, of: map)
                let chosen = try query.lasso.map { lasso in
                    let inside = listing.inside(lasso)
                    let shown = try data.browser.rows(inside.prefix(MapPage.shown).map { listing.keys[$0] })
                    return MapPage.Chosen(count: inside.count, rows: shown)
                }
                return .page(MapPage.page(query, name, map, listing, chosen: chosen, choices, layout))
            }
        } catch let error as CorpusError where error.code == .badQuery || error.code == .notFound {
            return .page(
                MapPage.without(
                    unasked, visit.query["map"] ?? "", error.description, isWaiting: false, choices, layout),
                status: 400)
        } catch let refusal as Refusal {
            return .page(
                MapPage.without(unasked, visit.query["map"] ?? "", refusal.reason, isWaiting: false, choices, layout),
                status: refusal.status)
        }
    }

    /// How far work in the background is, for the middle of a sentence; empty before it has begun.
    static func share(_ done: Int, of all: Int) -> String {
        all > 0 ? ": \(Figure.grouped(done)) of \(Figure.grouped(all)) samples" : ""
    }

    /// Columns of few texts that color a map.
    private static let groupings = ["tag", "model", "adapter", "sampler", "prompt"]

    /// The points, for the page's script.
    func mapPoints(_ visit: Visit) throws -> Answer {
        let query = try MapQuery(visit.query)
        let listing = try data.points(query, of: data.readyMap(data.mapName(query)))
        let bytes = listing.bytes
        return Answer(
            type: "application/octet-stream", body: bytes, caching: .revalidate,
            tag: String(Digest(of: bytes).hex.prefix(32)))
    }

    /// The samples in an area of a map, by the state of the map's page.
    func samplesInArea(_ state: String?) throws -> [Digest] {
        let query = try MapQuery(Query(state ?? ""))
        guard let lasso = query.lasso else { throw Refusal.unusable("draw around the samples on the map first") }
        let listing = try data.points(query, of: data.readyMap(data.mapName(query)))
        let inside = listing.inside(lasso)
        guard !inside.isEmpty else { throw Refusal.unusable("no sample is in the area: draw around some on the map") }
        return inside.map { listing.samples[$0] }
    }
}
