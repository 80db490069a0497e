import CorpusStore
import Foundation
import Testing
import Tuning

/// MI is the last value of the trace.
private struct LastScoring: TraceScoring {
    var identity: String { "test" }

    func scores(
        timesteps: [Int32], deltaSquared: [Float], schedule: ScheduleDescription?
    ) -> (mi: Double, standardError: Double, reference: Double) {
        let last = Double(deltaSquared.last ?? 0)
        return (last, 0, last)
    }
}

@Suite struct CorpusTrainingSourceTests {
    private let folder: TemporaryFolder
    private let corpus: Corpus

    init() throws {
        folder = try TemporaryFolder()
        corpus = try Corpus.create(at: folder.url.appending(path: "corpus"), scoring: LastScoring())
    }

    private func record(_ index: Int, mi: Float, model: String = "sha256:m") -> SampleRecord {
        SampleRecord(
            recipe: SampleRecipe(
                prompt: "prompt \(index % 3)", seed: UInt64(index), model: model, sampler: "ddpm", steps: 2,
                guidance: 5, width: 8, height: 8),
            png: [1, 2, 3], pixels: Digest(of: [UInt8(index)]), latentShape: [4, 2, 2],
            latent: (0..<16).map { Float(index * 100 + $0) }, timesteps: [501, 1], deltaSquared: [0, mi])
    }

    private func source(top: Int? = nil) throws -> CorpusTrainingSource {
        let policy = CatalogueQuery(by: "mi", top: top, perPrompt: top != nil)
        try corpus.store(try corpus.resolve(policy), as: "best")
        return try CorpusTrainingSource(corpus: corpus, selection: "best")
    }

    @Test func samplesComeInTheOrderAskedFor() throws {
        let records = (0..<7).map { record($0, mi: Float($0)) }
        // Over two shards.
        try corpus.append(Array(records[0..<4]))
        try corpus.append(Array(records[4..<7]))
        let source = try source()
        let resolution = source.initialResolution()
        #expect(resolution.ids == records.reversed().map(\.id))
        for ids in [resolution.ids, Array(resolution.ids.reversed()), [resolution.ids[3], resolution.ids[3]]] {
            let samples = try source.samples(ids)
            #expect(samples.map(\.id) == ids)
            for sample in samples {
                let record = try #require(records.first { $0.id == sample.id })
                #expect(sample.latent == record.latent)
                #expect(sample.shape == record.latentShape)
                #expect(sample.prompt == record.recipe.prompt)
            }
        }
        #expect(try source.resolution(digest: resolution.digest) == resolution)
    }

    /// What was fetched ahead is there without its shard.
    @Test func whatIsPrefetchedIsNotReadAgain() throws {
        let (now, later, never) = (record(0, mi: 3), record(1, mi: 2), record(2, mi: 1))
        let shards = try [now, later, never].map { try corpus.append([$0]) }
        let source = try source()
        source.prefetch([later.id, record(9, mi: 1).id])
        source.prefetch([later.id])
        // Readings follow one another, so the prefetching is over when this returns.
        _ = try source.samples([now.id])
        for shard in shards[1...] {
            let folder = corpus.folder.appending(path: "shards/\(shard.hex.prefix(2))")
            try FileManager.default.removeItem(at: folder.appending(path: "\(shard.hex).h5"))
        }
        #expect(try source.samples([later.id])[0].latent == later.latent)
        #expect(throws: TrainingSourceError.self) { try source.samples([never.id]) }
    }

    @Test func aPolicyIsResolvedAgainAsTheCorpusGrows() throws {
        try corpus.append((0..<3).map { record($0, mi: 1) })
        let source = try source(top: 1)
        let before = source.initialResolution()
        let better = record(3, mi: 9)
        // Another process adds a sample.
        try Corpus(at: corpus.folder, scoring: LastScoring()).append([better])
        let after = try source.resolveAgain(before.digest)
        #expect(after != before)
        #expect(after.ids.contains(better.id) && after.ids.count == 3)
        // Both can be replayed, and the name still stands for what it was made for.
        let reopened = try CorpusTrainingSource(corpus: corpus, selection: "best")
        #expect(try reopened.resolution(digest: before.digest) == before)
        #expect(try reopened.resolution(digest: after.digest) == after)
        #expect(reopened.initialResolution() == before)
    }

    @Test func samplesOfAnotherModelAreNamed() throws {
        let stranger = record(1, mi: 2, model: "sha256:other")
        try corpus.append([record(0, mi: 1), stranger])
        let source = try source()
        try source.check(SelectionResolution(digest: Digest(of: []), ids: [record(0, mi: 1).id]), model: "sha256:m")
        let error = #expect(throws: TrainingSourceError.self) {
            try source.check(source.initialResolution(), model: "sha256:m")
        }
        #expect(error?.description.contains(stranger.id.hex) == true)
        #expect(error?.description.contains("sha256:other") == true)
    }

    @Test func whatIsMissingIsNamed() throws {
        try corpus.append([record(0, mi: 1)])
        #expect(throws: CorpusError.self) { try CorpusTrainingSource(corpus: corpus, selection: "nothing") }
        let source = try source()
        let unknown = record(5, mi: 1).id
        let error = #expect(throws: TrainingSourceError.self) { try source.samples([unknown]) }
        #expect(error?.description.contains(unknown.hex) == true)
        #expect(throws: TrainingSourceError.self) { try source.resolution(digest: unknown) }
    }
}
