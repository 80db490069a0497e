import CorpusStore
import Foundation
import TestSupport
import Testing

@Suite struct DamagedCatalogueTests {
    /// Damage is named as such, and not as an id that is missing elsewhere or as a condition that cannot be understood.
    @Test(arguments: ["sample SET id", "sample SET recipe", "shard SET digest"])
    func aValueThatIsNoDigestIsDamage(column: String) throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("corpus")
        try corpus.append([Made.record(1)])
        let python = try #require(Programs.python)
        let change = """
            import sqlite3, sys
            catalogue = sqlite3.connect(sys.argv[1])
            catalogue.execute("UPDATE \(column) = x'00'")
            catalogue.commit()
            """
        let file = corpus.folder.appending(path: "catalog.sqlite")
        #expect(try Programs.run(python, ["-c", change, file.path]).status == 0)
        let error = #expect(throws: CorpusError.self) { try corpus.query(CatalogueQuery()) }
        #expect(error?.code == .io && error?.description.contains("attune reindex") == true)
    }
}
