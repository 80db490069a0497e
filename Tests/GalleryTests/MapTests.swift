import CorpusStore
import Foundation
import Testing
import Workflows

import Gallery

@Suite("Maps")
struct MapTests {
    /// Twelve samples, ten of which have coordinates: in two rows of five.
    private func made() throws -> (MadeCorpus, GalleryData, [Digest]) {
        let made = try MadeCorpus(prompts: ["a", "b"], candidates: 6)
        let ids = try made.corpus.query(CatalogueQuery(by: "mi")).map(\.id)
        let points = (0..<10).flatMap { [Float($0 % 5), Float($0 / 5)] }
        try made.corpus.add(
            VectorSet(name: "umap", width: 2, samples: Array(ids.prefix(10)), values: .floats(points)), from: "test")
        return (made, try made.data(), ids)
    }

    @Test func lassos() throws {
        let square = try Lasso("0,0~2,0~2,2~0,2")
        #expect(square.contains(1, 1) && !square.contains(3, 1) && !square.contains(1, -0.1))
        #expect(try Lasso(square.text) == square)
        // The way round does not count, and a notch is outside.
        let notched = try Lasso("0,0~0,4~2,1~4,4~4,0")
        #expect(notched.contains(0.5, 2) && notched.contains(3.5, 2) && !notched.contains(2, 3))
        for text in ["", "0,0~1,1", "0,0~1,1~2", "0,0~1,1~x,2", "0,0~1,1~nan,2", "0,0~1,1~inf,2"] {
            #expect(throws: Refusal.self, "\(text)") { try Lasso(text) }
        }
        #expect(throws: Refusal.self) { try Lasso(Array(repeating: "0,0", count: 500).joined(separator: "~")) }
    }

    @Test func importedCoordinatesAreShownAsTheyAre() throws {
        let (folder, data, ids) = try made()
        defer { withExtendedLifetime(folder) {} }
        let query = try MapQuery(Query("map=umap&color=mi"))
        let map = try data.readyMap("umap")
        let listing = try data.points(query, of: map)
        #expect(Set(listing.samples) == Set(ids.prefix(10)) && listing.unplaced == 2 && !listing.isCut)
        for (place, sample) in listing.samples.enumerated() {
            let index = try #require(ids.firstIndex(of: sample))
            #expect(listing.points[2 * place] == Float(index % 5) && listing.points[2 * place + 1] == Float(index / 5))
        }
        let bounds = try #require(listing.bounds)
        #expect(bounds.x == 0...4 && bounds.y == 0...1)
        guard case .numbers(let values, let range) = listing.coloring else {
            Issue.record("mi is a number")
            return
        }
        let mi = try data.corpus.query(CatalogueQuery(by: "mi")).prefix(10).compactMap(\.mi)
        #expect(range == (mi.min() ?? 0)...(mi.max() ?? 0) && values.count == 10)
        #expect(listing.inside(try Lasso("-1,-1~2.5,-1~2.5,0.5~-1,0.5")).count == 3)
    }

    @Test func textsAreColoredByHowManyHaveThem() throws {
        let (folder, data, _) = try made()
        defer { withExtendedLifetime(folder) {} }
        let listing = try data.points(MapQuery(Query("map=umap&color=prompt")), of: data.readyMap("umap"))
        guard case .texts(let places, let names, let others, let missing) = listing.coloring else {
            Issue.record("a prompt is a text")
            return
        }
        // The first ten by MI are six of "b" and four of "a".
        #expect(names.map(\.name) == ["b", "a"] && names.map(\.count) == [6, 4] && others == 0 && missing == 0)
        #expect(places.filter { $0 == 0 }.count == 6)
        #expect(throws: CorpusError.self) {
            try data.points(MapQuery(Query("map=umap&color=nonsense")), of: data.readyMap("umap"))
        }
    }

    @Test func conditionsConfineAMapAndAnAreaTheGrid() throws {
        let (made, data, ids) = try made()
        let map = try data.readyMap("umap")
        #expect(try data.points(MapQuery(Query("map=umap&where=prompt+%3D+%27a%27")), of: map).samples.count == 4)
        try made.corpus.store(Selection(ids: Array(ids.prefix(3)), policy: .list), as: "some")
        #expect(try Set(data.points(MapQuery(Query("map=umap&in=some")), of: map).samples) == Set(ids.prefix(3)))
        let grid = try GridQuery(Query("view=all&by=mi&map=umap&lasso=-1,-1~2.5,-1~2.5,0.5~-1,0.5"))
        #expect(
            try GridRows(data.listing(grid), 0..<20, grid, marked: nil, in: data).tiles?.map(\.id)
                == Array(ids.prefix(3)))
        let both = try GridQuery(Query("by=mi&map=umap&where=mi+%3C+0&lasso=-1,-1~2.5,-1~2.5,0.5~-1,0.5"))
        #expect(try data.listing(both).samples.isEmpty)
        // Of an area that was drawn on other vectors nothing is left.
        #expect(try MapQuery(Query("map=latents&of=umap&lasso=0,0~1,0~1,1")).lasso == nil)
        #expect(try MapQuery(Query("map=umap&of=umap&lasso=0,0~1,0~1,1")).lasso != nil)
        #expect(try MapQuery(Query("x0=2&x1=0&y0=0&y1=1")).lasso == Lasso(0...2, 0...1))
        #expect(throws: Refusal.self) { try MapQuery(Query("x0=2&x1=&y0=0&y1=1")) }
    }

    @Test func latentsAreMappedWithoutStoringAnything() throws {
        let made = try MadeCorpus(prompts: ["a"], candidates: 5)
        let data = try made.data(edits: false)
        let map = try data.readyMap(VectorStore.latents)
        // Latents of one value each: a line.
        #expect(map.embedding.samples.count == 5 && abs((map.embedding.axes[0].share ?? 0) - 1) < 1e-6)
        #expect(try made.corpus.vectorSummaries().isEmpty)
        let rows = try made.corpus.query(CatalogueQuery(by: "seed"))
        let along = rows.map(\.id).compactMap { map.point($0)?.x }
        #expect(along == along.sorted() || along == along.sorted(by: >))
        // Kept on the disk, and read from there by whoever starts next.
        let files = try FileManager.default.contentsOfDirectory(
            atPath: made.folder.appending(path: "cache/maps").path
        ).filter { $0.hasSuffix(".map") }
        #expect(files.count == 1)
        #expect(try made.data(edits: false).readyMap(VectorStore.latents).embedding == map.embedding)
        // A cache that is not whole is made again.
        let file = made.folder.appending(path: "cache/maps/\(files[0])")
        try Data(Data(contentsOf: file).dropLast(8)).write(to: file)
        #expect(try made.data(edits: false).readyMap(VectorStore.latents).embedding == map.embedding)
        // New samples are part of it.
        try made.corpus.append([MadeCorpus.record("b", seed: 77)])
        #expect(try data.readyMap(VectorStore.latents).embedding.samples.count == 6)
    }

    @Test func pagesAndPoints() async throws {
        let (made, data, ids) = try made()
        let client = Client(data, made.options())
        for path in ["/map", "/map?map=umap&color=mi", "/map?map=umap&color=tag&lasso=-1,-1~9,-1~9,9~-1,9"] {
            let reply = try await client.ask(path)
            #expect(reply.status == 200 && reply.text.contains("id=\"map\""), "\(path)")
        }
        let chosen = try await client.ask("/map?map=umap&lasso=-1,-1~2.5,-1~2.5,0.5~-1,0.5")
        #expect(chosen.text.contains("3 samples in the area"))
        let points = try await client.ask("/api/map?map=umap")
        #expect(points.status == 200 && points.body.count == 4 + 10 * (12 + 32) && points.body[0] == 10)
        #expect(try await client.ask("/map?map=nothing").status == 404)
        #expect(try await client.ask("/map?color=nonsense").status == 400)
        #expect(try await client.ask("/map?where=)").status == 400)
        #expect(try await client.ask("/map?lasso=1").status == 400)
        let form = "application/x-www-form-urlencoded"
        let state = "state=map%3Dumap%26lasso%3D-1,-1~2.5,-1~2.5,0.5~-1,0.5"
        #expect(try await client.change("/selections", "name=s&action=area&\(state)", type: form).status == 303)
        #expect(try Set(made.corpus.selection(named: "s").ids) == Set(ids.prefix(3)))
        let more = "state=map%3Dumap%26lasso%3D3.5,0.5~9,0.5~9,9~3.5,9"
        #expect(try await client.change("/selections", "name=s&action=area-add&\(more)", type: form).status == 303)
        #expect(try made.corpus.selection(named: "s").ids.count == 4)
        let nothing = try await client.change("/selections", "name=s&action=area&state=map%3Dumap", type: form)
        #expect(nothing.status == 400)
    }
}
