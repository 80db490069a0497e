import CorpusStore
import Foundation
import OCI
import TestSupport
import Testing
import Workflows

@Suite struct VerifyJobTests {
    private let small: SmallCorpus
    private let inspection = ShardInspection(program: Repository.command, arguments: ["check-shard"])

    init() throws { small = try SmallCorpus() }

    /// - Returns: the shard, and what it held before.
    private func damageAShard() throws -> (shard: URL, before: Data) {
        let shard = small.corpus.folder.appending(
            path: "shards/\(try #require(SmallCorpus.shards(small.corpus).first))")
        let before = try Data(contentsOf: shard)
        var bytes = before
        bytes[bytes.count / 2] ^= 1
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: shard.path)
        try bytes.write(to: shard)
        return (shard, before)
    }

    @Test func anotherCopyRepairsADamagedShard() async throws {
        let copy = small.scratch.url("copy")
        try FileManager.default.copyItem(at: small.corpus.folder, to: copy)
        let (shard, before) = try damageAShard()
        var job = VerifyJob(options: VerifyOptions())
        let found = try await job.run(small.corpus, progress: { _, _ in })
        #expect(found.report.damage.count == 1 && found.outcomes.isEmpty)
        #expect(VerifyListing.lines(found.report, []).first?.hasPrefix("damaged: ") == true)

        job.repairer = Repairer(corpus: small.corpus, registry: RegistryAccess(), inspection: inspection)
        job.source = copy.path
        var repairs = 0
        let mended = try await job.run(small.corpus, progress: { _, _ in }, willRepair: { repairs += 1 })
        #expect(repairs == 1 && mended.report.damage.isEmpty && mended.outcomes.count == 1)
        #expect(mended.outcomes.first?.lost.isEmpty == true)
        #expect(try Data(contentsOf: shard) == before)
    }

    @Test func aPushedSelectionRepairsThroughALayout() async throws {
        _ = try SelectionRequest.query(CatalogueQuery()).select(as: "all", in: small.corpus)
        let layout = "oci:\(small.scratch.path("layout")):v1"
        var push = PushJob(reference: layout, registry: RegistryAccess())
        push.wholeShards = true
        let sent = try await push.run("all", of: small.corpus)
        #expect(sent.samples == 6 && sent.shards == 3)
        _ = try damageAShard()
        var job = VerifyJob(options: VerifyOptions())
        job.repairer = Repairer(corpus: small.corpus, registry: RegistryAccess(), inspection: inspection)
        job.source = layout
        #expect(try await job.run(small.corpus, progress: { _, _ in }).report.damage.isEmpty)
        #expect(try small.corpus.summary().samples == 6)
    }
}
