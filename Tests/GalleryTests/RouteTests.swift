import CorpusStore
import Foundation
import HTTPTypes
import Testing

import Gallery

@Suite("Addresses")
struct RouteTests {
    @Test func pagesAndImages() async throws {
        let made = try MadeCorpus(prompts: ["<script>alert(1)</script>", "b"])
        let client = Client(try made.data(), made.options())
        let row = try #require(try made.corpus.query(CatalogueQuery(by: "mi", top: 1)).first)
        for path in ["/", "/samples", "/samples?view=all", "/samples/\(row.id)", "/selections", "/runs", "/compare"] {
            let reply = try await client.ask(path)
            #expect(reply.status == 200, "\(path)")
            #expect(!reply.text.contains("<script>alert"), "\(path)")
            #expect(reply.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        }
        let image = try await client.ask("/images/\(row.id).png")
        #expect(image.body == (try SampleReader(made.corpus).image(row)))
        #expect(image.headers[.contentType] == "image/png")
        #expect(image.headers[.cacheControl]?.contains("immutable") == true)
        let head = try await client.ask("/images/\(row.id).png", method: .head)
        #expect(head.status == 200 && head.body.isEmpty && head.headers[.contentLength] == String(image.body.count))
    }

    @Test(arguments: [
        "/nothing", "/samples/zz", "/images/zz.png", "/assets/x", "/runs/none", "/runs/none/live",
        "/tiles/\(String(repeating: "0", count: 64))",
    ])
    func missing(_ path: String) async throws {
        let made = try MadeCorpus()
        let reply = try await Client(try made.data(), made.options()).ask(path)
        #expect(reply.status == 404)
        #expect(reply.headers[.contentSecurityPolicy] != nil)
    }

    @Test func gridRowsAsJSON() async throws {
        let made = try MadeCorpus()
        let client = Client(try made.data(), made.options())
        let reply = try await client.ask("/api/samples?view=all&by=mi&from=1&count=2")
        let value = try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any])
        let tiles = try #require(value["tiles"] as? [[String: Any]])
        #expect(
            tiles.map { $0["id"] as? String } == (try made.corpus.query(CatalogueQuery(by: "mi")))[1..<3].map(\.id.hex))
        #expect(value["total"] as? Int == 6)
        let bad = try await client.ask("/api/samples?where=%29")
        #expect(bad.status == 400 && bad.text.contains("columns: id, recipe"))
        #expect(try await client.ask("/api/samples?from=-1").status == 400)
        #expect(try await client.ask("/samples?top=x").status == 400)
    }

    @Test func changes() async throws {
        let made = try MadeCorpus()
        let client = Client(try made.data(), made.options())
        let id = try #require(try made.corpus.ids(CatalogueQuery()).first).hex
        let marks = #"{"marks":[{"id":"\#(id)","name":"stars","value":5}]}"#
        #expect(try await client.change("/api/marks", marks).status == 200)
        #expect(try made.corpus.query(CatalogueQuery(condition: "stars = 5")).map(\.id.hex) == [id])
        #expect(try await client.change("/api/marks", "{").status == 400)
        #expect(
            try await client.change("/api/marks", #"{"marks":[{"id":"\#(id)","name":"mi","value":5}]}"#).status == 400)
        let form = "application/x-www-form-urlencoded"
        let stored = try await client.change("/selections", "name=s&action=add&seen=&id=\(id)", type: form)
        #expect(stored.status == 303 && stored.headers[.location] == "/samples?in=s")
        #expect(try made.corpus.selection(named: "s").ids.map(\.hex) == [id])
        #expect(try await client.change("/selections", "name=s&action=add&seen=&id=\(id)", type: form).status == 409)
        #expect(
            try await client.change("/selections", "name=..%2Fx&action=add&seen=&id=\(id)", type: form).status == 400)
        #expect(try await client.change("/votes", "first=\(id)&second=\(id)&winner=1", type: form).status == 400)
        // Without the secret, or with that of another session.
        let plain = try await client.ask(
            "/api/marks", method: .post, headers: ["Content-Type": "application/json"], body: marks)
        #expect(plain.status == 403)
        let readOnly = Client(try made.data(edits: false), made.options(edits: false))
        #expect(try await readOnly.change("/api/marks", marks).status == 403)
    }

    @Test func pageOfALongPrompt() async throws {
        let text = String(repeating: "<b>\"markup\" & more</b> ", count: 450)
        let made = try MadeCorpus(prompts: [text], candidates: 2)
        let client = Client(try made.data(), made.options())
        let row = try #require(try made.corpus.query(CatalogueQuery(top: 1)).first)
        let page = try await client.ask("/samples/\(row.id)")
        #expect(
            page.status == 200 && !page.text.contains("<b>")
                && page.text.contains("&lt;b&gt;&quot;markup&quot; &amp; more"))
    }

    @Test func addressesKeepTheirQuery() {
        let query = Query("where=a+%3D+%27%C3%BC%26%27&by=mi&empty=")
        #expect(query["where"] == "a = 'ü&'" && query["empty"] == nil)
        #expect(Query(query.encoded) == query)
        #expect(
            query.with(["by": nil, "view": "all"]).address("/samples")
                == "/samples?where=a%20%3D%20%27%C3%BC%26%27&view=all")
        #expect(Query("a=%zz&b=%4")["a"] == "%zz")
    }
}
