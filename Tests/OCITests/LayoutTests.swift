import CorpusStore
import Foundation
import OCI
import TestSupport
import Testing

/// Selections handed over in an OCI layout.
@Suite struct LayoutTests {
    private let scratch: Scratch
    private let source: Corpus

    init() throws {
        scratch = try Scratch()
        source = try scratch.corpus("source")
        try Made.fill(source, count: 40)
    }

    private func layout(_ tag: String = "v1") throws -> OCILayout {
        try OCILayout(scratch.url("layout"), tag: tag, creating: true)
    }

    private func push(_ name: String = "best", whole: Bool = false) async throws -> ArtifactPush.Outcome {
        try await ArtifactPush(corpus: source, store: layout(), wholeShards: whole)
            .run(source.selection(named: name), provenance: Provenance(title: name, license: "CC-BY-4.0"))
    }

    private func pull(into corpus: Corpus) async throws -> ArtifactPull.Outcome {
        try await ArtifactPull(corpus: corpus, store: layout()).run(as: "theirs")
    }

    private func files() throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: scratch.url("layout/blobs/sha256"), includingPropertiesForKeys: nil)
    }

    @Test(arguments: [false, true]) func aSelectionArrivesWhole(whole: Bool) async throws {
        let pushed = try await push(whole: whole)
        #expect(pushed.samples == 40)
        let target = try scratch.corpus("target")
        let pulled = try await pull(into: target)
        #expect(pulled.manifest == pushed.manifest)
        #expect(pulled.addedSamples == 40)
        #expect(target.verify().isEmpty)
        let selection = try source.selection(named: "best")
        #expect(try target.selection(named: "theirs") == selection)
        // The samples are the same to the last bit, wherever they lie now.
        for (id, row) in try target.rows(selection.ids) {
            let original = try #require(try source.rows([id])[id])
            let a = try target.open(row.shard).record(row.row)
            let b = try source.open(original.shard).record(original.row)
            #expect(a.png == b.png && a.latent == b.latent && a.timesteps == b.timesteps)
            #expect(a.deltaSquared.map(\.bitPattern) == b.deltaSquared.map(\.bitPattern))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: target.files.temporaryFolder.path).isEmpty)
    }

    /// A name that cannot be looked at is not an absent one.
    @Test func aLookThatFailsIsNoAbsence() async throws {
        let pushed = try await push()
        let layout = try layout()
        for place in ["blobs/sha256/\(pushed.manifest.sha256.hex)", "index.json"] {
            let path = scratch.url("layout").appending(path: place).path
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
            let error = await #expect(throws: OCIError.self) { _ = try await layout.manifest() }
            #expect(error?.code == .io && error?.description.contains("Too many levels") == true)
        }
        let blob = Descriptor(mediaType: MediaType.manifest, digest: pushed.manifest.sha256, size: 1)
        await #expect(throws: OCIError.self) { _ = try await layout.hasBlob(blob) }
    }

    /// What `score` measured travels with the samples, and nothing about others does.
    @Test(arguments: [false, true]) func scoresTravelAlong(whole: Bool) async throws {
        let ids = try source.selection(named: "best").ids
        let schedule = ScheduleDescription(
            betaStart: 0.001, betaEnd: 0.02, betaSchedule: "linear", trainTimesteps: 1000)
        let scorers = [1, 2].map { Scorer(model: "m", draws: $0, steps: 2, seed: 7, schedule: schedule) }
        for (scorer, count) in zip(scorers, [10, 40]) {
            for part in stride(from: 0, to: count, by: 5) {
                try source.append(
                    ids[part..<part + 5].map { id in
                        ScoreRecord(
                            sample: id, timesteps: [900, 100],
                            draws: (0..<scorer.draws).map { [Float($0 + 1), Float(id.raw[0])] })
                    }, by: scorer)
            }
        }
        let some = Selection(ids: Array(ids.prefix(20)), policy: .list)
        try source.store(some, as: "best")
        let pushed = try await push(whole: whole)
        let again = try await push(whole: whole)
        #expect(again.sentBlobs == 0 && again.manifest == pushed.manifest)
        let target = try scratch.corpus("target")
        let pulled = try await pull(into: target)
        #expect(pulled.fetchedShards == pushed.shards)
        #expect(target.verify().isEmpty)
        for (scorer, count) in zip(scorers, [10, 20]) {
            #expect(try target.scored(ids, by: scorer) == Set(ids.prefix(count)))
        }
        let (mine, theirs) = try (source.scores(of: some.ids), target.scores(of: some.ids))
        #expect(mine.map(\.scorer) == theirs.map(\.scorer) && mine.map(\.records) == theirs.map(\.records))
        #expect(try await pull(into: target).receivedBytes == 0)
        // A corpus that has the samples fetches the scores alone.
        let plain = try scratch.corpus("plain")
        for shard in try source.shards() where (try? source.open(shard)) != nil {
            let copy = plain.files.temporaryFolder.appending(path: UUID().uuidString)
            try FileManager.default.copyItem(
                at: source.folder.appending(path: "shards/\(shard.hex.prefix(2))/\(shard.hex).h5"), to: copy)
            try plain.adopt(copy, digest: shard)
        }
        try plain.catchUp()
        let scores = try await pull(into: plain)
        #expect(scores.addedSamples == 0 && scores.fetchedShards >= 2)
        #expect(try plain.scored(ids, by: scorers[0]).count == 10)
    }

    @Test func annotationsTravelAlong() async throws {
        let ids = try source.selection(named: "best").ids
        func annotate(_ count: Int, _ scorer: String, _ value: Double, _ corpus: Corpus) throws {
            _ = try corpus.annotate(
                ids.prefix(count).map { AnnotationValue(sample: $0, value: value) }, by: scorer, from: "test.jsonl")
        }
        try annotate(30, "hps", 1, source)
        try annotate(4, "hps", 2, source)
        try annotate(3, "people", 5, source)
        let some = Selection(ids: Array(ids.prefix(20)), policy: .list)
        try source.store(some, as: "best")
        let pushed = try await push()
        #expect(try await push().sentBlobs == 0)
        let target = try scratch.corpus("target")
        #expect(try await pull(into: target).fetchedShards == pushed.shards)
        #expect(target.verify().isEmpty)
        #expect(try target.annotations(of: ids) == source.annotations(of: some.ids))
        #expect(try await pull(into: target).receivedBytes == 0)
        // A later word on four samples is all that is fetched.
        try annotate(4, "people", 6, source)
        let second = try await push()
        #expect(second.sentBlobs == 1)
        let pulled = try await pull(into: target)
        #expect(pulled.addedSamples == 0 && pulled.fetchedShards == 1)
        #expect(try target.annotations(of: ids) == source.annotations(of: some.ids))
    }

    @Test func importedVectorsTravelAlong() async throws {
        let ids = try source.selection(named: "best").ids
        func give(_ count: Int, _ name: String, _ width: Int, _ corpus: Corpus) throws {
            let values = (0..<count * width).map { Float($0) / 8 }
            try corpus.add(
                VectorSet(name: name, width: width, samples: Array(ids.prefix(count)), values: .floats(values)),
                from: "test.npz")
        }
        try give(30, "dinov2", 6, source)
        try give(40, "latents", 4, source)
        try source.store(Selection(ids: Array(ids.prefix(20)), policy: .list), as: "best")
        let pushed = try await push()
        #expect(try await push().sentBlobs == 0)
        let target = try scratch.corpus("target")
        let pulled = try await pull(into: target)
        #expect(pulled.fetchedShards == pushed.shards && pulled.otherVectors.isEmpty)
        #expect(target.verify().isEmpty)
        // Those of latents can be made again, and stay.
        #expect(try target.vectorSummaries().map(\.name) == ["dinov2"])
        let (own, theirs) = (try source.vectors(named: "dinov2"), try target.vectors(named: "dinov2"))
        #expect(try theirs.picking(Array(ids.prefix(20))) == own.picking(Array(ids.prefix(20))))
        #expect(theirs.samples.count == 20)
        #expect(try await pull(into: target).receivedBytes == 0)
        // Under a name that means something else here they are left out, and nothing is lost.
        let other = try scratch.corpus("other")
        try Made.fill(other, count: 3)
        try other.add(
            VectorSet(
                name: "dinov2", width: 2, samples: other.selection(named: "best").ids,
                values: .floats([1, 2, 3, 4, 5, 6])), from: "own.npz")
        let second = try await pull(into: other)
        #expect(second.otherVectors == ["dinov2"] && second.samples == 20)
        #expect(try other.vectors(named: "dinov2").width == 2 && other.vectors(named: "dinov2").samples.count == 3)
        #expect(other.verify().isEmpty)
    }

    @Test func whatIsThereIsNeitherSentNorFetchedAgain() async throws {
        let first = try await push()
        #expect(first.sentBlobs > 1)
        let again = try await push()
        #expect(again.sentBlobs == 0 && again.sentBytes == 0 && !again.changedReference)
        #expect(again.manifest == first.manifest)
        let target = try scratch.corpus("target")
        _ = try await pull(into: target)
        let second = try await pull(into: target)
        #expect(second.fetchedShards == 0 && second.receivedBytes == 0 && second.addedSamples == 0)
        // The corpus that it came from needs nothing either, though it has other shards.
        #expect(try await pull(into: source).fetchedShards == 0)
    }

    @Test func theSameSamplesArePackedAlikeEverywhere() async throws {
        let first = try await push()
        let target = try scratch.corpus("target")
        _ = try await pull(into: target)
        let other = try OCILayout(scratch.url("other"), tag: "v1", creating: true)
        let pushed = try await ArtifactPush(corpus: target, store: other)
            .run(target.selection(named: "theirs"), provenance: Provenance(title: "best", license: "CC-BY-4.0"))
        #expect(pushed.manifest == first.manifest)
    }

    @Test func aSelectionThatGrewSharesMostOfItsShards() async throws {
        try Made.fill(source, count: 900, from: 1000, side: 4)
        let first = try await push()
        try source.append([try Made.record(5000)])
        let grown = try source.resolve(CatalogueQuery(condition: "tag = 'made'"))
        try source.store(grown, as: "grown")
        let second = try await push("grown")
        #expect(first.shards >= 3)
        // One shard, or two where the new sample has moved a boundary; and the selection's document.
        #expect(second.sentBlobs <= 3)
    }

    /// Every blob in turn: a flipped byte fails the pull, nothing wrong comes in, and the restored byte mends it.
    @Test func aFlippedByteIsRefused() async throws {
        _ = try await push()
        for (index, file) in try files().enumerated() {
            let good = try Data(contentsOf: file)
            var bad = good
            bad[bad.count / 3] ^= 0x10
            try bad.write(to: file)
            let target = try scratch.corpus("target-\(index)")
            await #expect(throws: OCIError.self) { try await pull(into: target) }
            #expect(target.verify().isEmpty)
            #expect(try target.selectionNames().isEmpty)
            try good.write(to: file)
            #expect(try await pull(into: target).samples == 40)
            try good.dropLast().write(to: file)
            let short = try scratch.corpus("short-\(index)")
            await #expect(throws: OCIError.self) { try await pull(into: short) }
            try good.write(to: file)
        }
    }

    @Test func anArtifactThatLacksSamplesSetsNoName() async throws {
        _ = try await push()
        let data = try await layout().manifest()
        var manifest = try ArtifactManifest(data: data, from: "test")
        manifest.layers.removeLast()
        _ = try await layout().putManifest(manifest.data)
        let target = try scratch.corpus("target")
        await #expect(throws: OCIError.self) { try await pull(into: target) }
        #expect(try target.selectionNames().isEmpty)
        #expect(target.verify().isEmpty)
    }

    @Test func aShardWhoseSamplesLieIsRefused() async throws {
        // A file that is not a shard at all, honestly named by its digest.
        let junk = Data("\u{89}HDF\r\n\u{1A}\nnot really".utf8)
        let blob = Descriptor(mediaType: MediaType.shard, digest: Digest(of: junk), size: junk.count)
        try await layout().put(.data(junk), as: blob)
        _ = try await push()
        var manifest = try ArtifactManifest(data: try await layout().manifest(), from: "test")
        manifest.layers = [blob]
        _ = try await layout().putManifest(manifest.data)
        let target = try scratch.corpus("target")
        await #expect(throws: OCIError.self) { try await pull(into: target) }
        #expect(try target.shards().isEmpty)
    }

    @Test func twoTagsStandSideBySide() async throws {
        _ = try await push()
        let other = try OCILayout(scratch.url("layout"), tag: "v2", creating: true)
        _ = try await ArtifactPush(corpus: source, store: other)
            .run(source.selection(named: "best"), provenance: Provenance(title: "other"))
        #expect(try await layout("v1").manifest() != layout("v2").manifest())
        await #expect(throws: OCIError.self) { try await layout("v3").manifest() }
    }

    @Test func aFolderWithOtherThingsIsLeftAlone() throws {
        let folder = scratch.url("mine")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data().write(to: folder.appending(path: "letter.txt"))
        #expect(throws: OCIError.self) { try OCILayout(folder, tag: "v1", creating: true) }
        #expect(throws: OCIError.self) { try OCILayout(scratch.url("nowhere"), tag: "v1", creating: false) }
    }
}
