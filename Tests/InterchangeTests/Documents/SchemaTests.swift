import CorpusStore
import Foundation
import Interchange
import OCI
import TestSupport
import Testing

/// Every document that Attune writes, checked against schemas/ by Python's jsonschema.
@Suite(.enabled(if: Programs.hasJSONSchema, "a Python with jsonschema is needed: make setup-python"))
struct SchemaTests {
    private func check(_ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
        let script = Repository.root.appending(path: "Tests/Interop/check_documents.py").path
        return try Programs.run(try #require(Programs.python), [script] + arguments)
    }

    @Test func documentsFitTheirSchemas() async throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("corpus")
        try Made.fill(corpus, count: 40)
        let all = try corpus.selection(named: "best")
        let some = Selection(ids: Array(all.ids.prefix(7)), policy: .list)
        try corpus.store(some, as: "best")
        try corpus.store(some, as: "some")
        for (name, operation) in zip(["u", "i", "d"], SelectionPolicy.SetOperation.allCases) {
            try corpus.store(Selection(operation, of: [all, some]), as: name)
        }
        let ranked = CatalogueQuery(condition: "seed < 9", by: "seed", top: 2, perPrompt: true)
        try corpus.store(corpus.resolve(ranked), as: "ranked")

        let layout = try OCILayout(scratch.url("layout"), tag: "v1", creating: true)
        let lineage = Provenance.Adapter(
            digest: "x", model: "m", run: "r", kind: "dora", rank: 4, alpha: 8, selections: [all.digest.hex])
        _ = try await ArtifactPush(corpus: corpus, store: layout)
            .run(all, provenance: Provenance(title: "best", license: "CC0-1.0", estimator: "test", adapters: [lineage]))
        try await layout.manifest().write(to: scratch.url("manifest.json"))
        try Made.record(1).manifest.data.write(to: scratch.url("sample.json"))
        let diff = try Programs.run(
            Repository.command, ["diff", "--corpus", corpus.folder.path, "best~1", "some", "--json"])
        try #require(diff.status == 0, "\(diff.errors)")
        try Data(diff.output.utf8).write(to: scratch.url("diff.json"))

        let outcome = try check([
            "selection=\(corpus.folder.path)/selections", "history=\(corpus.folder.path)/refs",
            "attune=\(corpus.folder.path)/attune.json", "manifest=\(scratch.url("sample.json").path)",
            "artifact=\(scratch.url("manifest.json").path)", "diff=\(scratch.url("diff.json").path)",
        ])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.hasPrefix("16 documents, 0 wrong"), "\(outcome.output)")
    }

    @Test func schemasRefuseWhatReadersRefuse() throws {
        let scratch = try Scratch()
        let id = String(repeating: "a", count: 64)
        let bad = [
            #"{"format":"attune-selection","version":1,"policy":{"per_prompt":true},"ids":["\#(id)","\#(id)"]}"#,
            #"{"format":"attune-selection","version":2,"policy":{"per_prompt":true},"ids":[]}"#,
            #"{"format":"attune-selection","version":1,"policy":{"from":"union"},"ids":["\#(id)"]}"#,
            #"{"format":"attune-selection","version":1,"policy":{"from":"magic"},"ids":["\#(id)"]}"#,
            #"{"format":"attune-selection","version":1,"policy":{"per_prompt":true},"ids":["A"]}"#,
        ]
        for (index, text) in bad.enumerated() { try Data(text.utf8).write(to: scratch.url("\(index).json")) }
        let outcome = try check(["--refused", "selection=\(scratch.url.path)"])
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        for text in bad { #expect(throws: CorpusError.self) { try Selection(data: Data(text.utf8), at: "test") } }
    }
}
