import Codecs
import CorpusStore
import Curation
import Foundation
import Images
import TestSupport
import Testing
import Workflows

/// Near-duplicates, vectors and curated selections of a corpus.
@Suite struct CurationJobTests {
    private let scratch: Scratch
    private let corpus: Corpus

    /// Twelve samples of noise under four prompts, and a mirrored copy of the third one under a prompt of its own.
    init() throws {
        scratch = try Scratch()
        corpus = try scratch.corpus("corpus")
        var records = try (UInt64(0)..<12).map { try Made.record($0, prompt: "prompt \($0 % 4)") }
        for index in records.indices { records[index].tag = index < 7 ? "color" : "shape" }
        let image = try PNG.decode(records[2].png)
        var copy = records[2]
        var pixels: [UInt8] = []
        for y in 0..<image.height {
            for x in (0..<image.width).reversed() {
                let place: Int = 3 * (y * image.width + x)
                pixels += image.pixels[place..<place + 3]
            }
        }
        copy.recipe.seed = 99
        copy.recipe.prompt = "the copy"
        copy.png = try PNG.encode(width: image.width, height: image.height, pixels: pixels)
        copy.pixels = Digest(of: pixels)
        try corpus.append(records)
        try corpus.append([copy])
    }

    private func monitor(_ title: String, _ unit: String) -> Recorder { Recorder() }

    @Test func aMirroredCopyIsFoundAndPrintsAreKept() throws {
        let listing = try #require(try DuplicatesJob().run(in: corpus, monitor: monitor))
        #expect(listing.samples == 13 && listing.groups.count == 1 && listing.redundant == 1)
        #expect(Set(listing.groups[0].samples.map(\.prompt)) == ["prompt 2", "the copy"])
        let summary = try #require(try corpus.vectorSummaries().first)
        #expect(summary.name == ImagePrint.name && summary.vectors == 13 && summary.revision == 1)
        var titles: [String] = []
        _ = try DuplicatesJob().run(in: corpus) { title, unit in
            titles.append(title)
            return Recorder()
        }
        #expect(titles == ["duplicates"], "prints are made once")
        #expect(corpus.verify().isEmpty)
        // They are found again by whoever opens the corpus or fills its catalogue from nothing.
        try FileManager.default.removeItem(at: corpus.folder.appending(path: "catalog.sqlite"))
        let again = try Corpus(at: corpus.folder, scoring: NoScores())
        #expect(try again.vectors(named: ImagePrint.name).samples.count == 13)
    }

    @Test func whatAStoppedCommandHadMadeOfLatentsIsKept() throws {
        var many: [SampleRecord] = []
        for seed in 100..<500 { many.append(try Made.record(UInt64(seed), prompt: "many")) }
        try corpus.append(many)
        let rows = try corpus.query(CatalogueQuery())
        // Stopped after the first batch of 256.
        let stopped = try VectorStore(corpus).vectors(of: rows, named: VectorStore.latents) { _, _ in
            Recorder(allowing: 1)
        }
        #expect(stopped == nil)
        #expect(try corpus.vectors(named: VectorStore.latents).samples.count == 256)
        var totals: [Int?] = []
        let recorder = Recorder()
        let made = try VectorStore(corpus).vectors(of: rows, named: VectorStore.latents) { _, _ in recorder }
        totals.append(recorder.total)
        #expect(made?.count == 413 && totals == [413 - 256])
    }

    @Test func aCorpusWithPrintsIsPackedAndCollected() throws {
        _ = try DuplicatesJob().run(in: corpus, monitor: monitor)
        try corpus.pack()
        #expect(try corpus.vectors(named: ImagePrint.name).samples.count == 13)
        var options = GcOptions()
        (options.keep, options.grace) = (["tag = 'color'"], 0)
        Thread.sleep(forTimeInterval: 1.1)
        try corpus.gc(options)
        #expect(try corpus.count(CatalogueQuery()) < 13)
        #expect(try corpus.vectors(named: ImagePrint.name).samples.count == corpus.count(CatalogueQuery()))
        #expect(corpus.verify().isEmpty)
    }

    @Test func theNearestOfASampleIsItsCopy() throws {
        let id = try #require(try corpus.query(CatalogueQuery(condition: "prompt = 'the copy'")).first?.id)
        var job = SimilarJob(String(id.hex.prefix(12)))
        job.top = 3
        let matches = try #require(try job.run(in: corpus, monitor: monitor))
        #expect(matches.count == 3 && matches[0].prompt == "prompt 2" && matches[0].distance < 0.05)
        #expect(matches[1].distance > 0.3)
        let row = try #require(try corpus.query(CatalogueQuery(condition: "id = '\(id)'")).first)
        let file = scratch.url("copy.png")
        try Data(SampleReader(corpus).image(row)).write(to: file)
        let byFile = try #require(try SimilarJob(file.path).run(in: corpus, monitor: monitor))
        // Itself, and what it mirrors.
        #expect(byFile.prefix(2).contains { $0.id == id } && byFile.first?.distance == 0)
        job.method = .vectors(nil)
        let byLatents = try #require(try job.run(in: corpus, monitor: monitor))
        #expect(byLatents.first?.prompt == "prompt 2", "the copy has its latent")
        #expect(throws: Failure.self) { _ = try SimilarJob("no such thing").run(in: corpus, monitor: monitor) }
        #expect(throws: Failure.self) { _ = try SimilarJob("ffffffffffff").run(in: corpus, monitor: monitor) }
    }

    @Test func selectionsWithoutNearDuplicates() throws {
        var job = CurationJob()
        job.withoutDuplicates = Nearness()
        let made = try #require(try job.select(as: "clean", in: corpus, monitor: monitor))
        #expect(made.map(\.name) == ["clean"] && made[0].selection.ids.count == 12)
        #expect(try corpus.selection(named: "clean") == made[0].selection)
    }

    @Test func quotasTopAndDiversityWorkTogether() throws {
        var job = CurationJob()
        job.quotas = [Quota(column: "tag", value: "color", count: 5), Quota(column: "tag", value: "shape", count: 3)]
        #expect(try job.select(as: "quota", in: corpus, monitor: monitor)?.first?.selection.ids.count == 8)
        job.quotas = [Quota(column: "tag", value: "shape", count: 30)]
        let error = #expect(throws: CurationError.self) {
            _ = try job.select(as: "impossible", in: corpus, monitor: monitor)
        }
        #expect(error?.description == "--quota tag=shape:30: only 5 samples fit: ask for fewer, or make more")
        #expect(try !corpus.selectionNames().contains("impossible"))
        job.quotas = [Quota(column: "colour", value: "red", count: 1)]
        #expect(throws: UsageError.self) { _ = try job.select(as: "none", in: corpus, monitor: monitor) }

        var diverse = CurationJob()
        (diverse.top, diverse.perPrompt, diverse.diverse) = (2, true, 4)
        let chosen = try #require(try diverse.select(as: "diverse", in: corpus, monitor: monitor))
        #expect(chosen[0].selection.ids.count == 4)
        (diverse.top, diverse.diverse, diverse.clusters) = (nil, nil, (count: 3, top: 1))
        #expect(try diverse.select(as: "clusters", in: corpus, monitor: monitor)?.first?.selection.ids.count ?? 9 <= 3)
        #expect(try corpus.vectorSummaries().map(\.name) == [VectorStore.latents])
    }

    @Test func aSplitSharesNoPromptAndNoNearDuplicates() throws {
        var job = CurationJob()
        (job.split, job.splitsByPrompt) = (try Split("train=0.7,test=0.3"), true)
        let parts = try #require(try job.select(as: "split", in: corpus, monitor: monitor))
        #expect(parts.map(\.name) == ["split-train", "split-test"])
        let prompts = try parts.map { part in
            Set(try SampleReader(corpus).rows(part.selection.ids).map(\.prompt))
        }
        #expect(prompts[0].isDisjoint(with: prompts[1]))
        #expect(prompts.contains { $0.isSuperset(of: ["prompt 2", "the copy"]) })
        #expect(parts.reduce(0) { $0 + $1.selection.ids.count } == 13)
    }

    @Test func scoresAndPercentiles() throws {
        let ids = try corpus.ids(CatalogueQuery())
        try corpus.annotate(
            ids.prefix(10).enumerated().map { AnnotationValue(sample: $1, value: Double($0)) }, by: "looks",
            from: "test")
        var job = CurationJob()
        (job.by, job.minimumScore) = ("looks", 4)
        let least = try #require(try job.select(as: "least", in: corpus, monitor: monitor))
        #expect(least[0].selection.ids == ids[4..<10].reversed())
        (job.minimumScore, job.percentile) = (nil, 80)
        #expect(try job.select(as: "top", in: corpus, monitor: monitor)?.first?.selection.ids == [ids[9], ids[8]])
        (job.minimumScore, job.percentile) = (1000, nil)
        #expect(throws: Failure.self) { _ = try job.select(as: "none", in: corpus, monitor: monitor) }
    }

    // MARK: Imported vectors

    private func file(_ name: String, _ ids: [String], _ values: [Float], width: Int) throws -> URL {
        var data = Data()
        var archive = ZipWriter { data.append($0) }
        try archive.add("features.npy", NumPyArray.file(values, shape: [values.count / width, width]))
        try archive.add("ids.npy", NumPyArray.file(ids))
        try archive.add("encoder.npy", NumPyArray.file(["dinov2 sha256:0"]))
        try archive.finish()
        let url = scratch.url(name)
        try data.write(to: url)
        return url
    }

    @Test func vectorsAreImportedAndUsed() throws {
        let ids = try corpus.ids(CatalogueQuery()).map(\.hex)
        // The first two are alike, the others differ.
        var values: [Float] = []
        for row in ids.indices {
            for column in 0..<4 {
                let own: Float = row < 2 ? 0.5 : Float((row * 7 + column * 5) % 11)
                values.append(own + (column == 0 ? 3 : 0))
            }
        }
        let made = try VectorImportJob(file: file("v.npz", ids, values, width: 4)).run(in: corpus)
        #expect(made.vectors == 13 && made.width == 4 && made.name == "dinov2" && made.revision == 1)
        var job = DuplicatesJob()
        job.nearness = Nearness(.vectors(nil), threshold: 0.0001)
        job.ranking = nil
        let listing = try #require(try job.run(in: corpus, monitor: monitor))
        #expect(listing.groups.first?.samples.map(\.id.hex) == Array(ids.prefix(2)))

        // Later ones count.
        _ = try VectorImportJob(file: file("w.npz", [ids[1]], [9, 1, 0, 2], width: 4)).run(in: corpus)
        let set = try corpus.vectors(named: "dinov2")
        #expect(set.samples.count == 13)
        let row = try #require(set.rows(of: [Digest(hex: ids[1])].compactMap(\.self)).first ?? nil)
        guard case .floats(let stored) = set.values else { throw Failure("no floats") }
        #expect(Array(stored[row * 4..<row * 4 + 4]) == [9, 1, 0, 2])
    }

    @Test func vectorsThatDoNotFitAreRefused() throws {
        let ids = try corpus.ids(CatalogueQuery()).map(\.hex)
        _ = try VectorImportJob(file: file("first.npz", [ids[0]], [1, 2, 3], width: 3)).run(in: corpus)
        let cases: [(URL, String)] = [
            (try file("wide.npz", [ids[1]], [1, 2, 3, 4], width: 4), "has vectors of 4 values"),
            (try file("nan.npz", [ids[1]], [1, .nan, 3], width: 3), "is nan"),
            (try file("twice.npz", [ids[1], ids[1]], [1, 2, 3, 1, 2, 3], width: 3), "two vectors"),
            (try file("id.npz", ["abc"], [1, 2, 3], width: 3), "'abc' is not a sample's id"),
            (try file("short.npz", [ids[1]], [1, 2, 3, 4, 5, 6], width: 3), "1 ids for vectors of the shape [2, 3]"),
            (try file("stranger.npz", [String(repeating: "0", count: 64)], [1, 2, 3], width: 3), "no such sample"),
            (scratch.url("missing.npz"), "No such file"),
        ]
        for (file, reason) in cases {
            do {
                _ = try VectorImportJob(file: file).run(in: corpus)
                Issue.record("\(file.lastPathComponent) was taken")
            } catch { #expect("\(error)".contains(reason), "\(error)") }
        }
        #expect(try corpus.vectors(named: "dinov2").samples.count == 1)
        var job = CurationJob()
        job.diverse = 3
        let lacking = #expect(throws: Failure.self) { _ = try job.select(as: "some", in: corpus, monitor: monitor) }
        #expect(lacking?.description.contains("12 of 13 samples have no vector dinov2") == true)
        job.vectors = "clip"
        let unknown = #expect(throws: CorpusError.self) { _ = try job.select(as: "some", in: corpus, monitor: monitor) }
        #expect(unknown?.description.contains("no such vectors; there are dinov2") == true)
    }

    @Test func stoppedWorkStoresNoSelection() throws {
        var job = CurationJob()
        job.withoutDuplicates = Nearness()
        #expect(try job.select(as: "none", in: corpus, monitor: { _, _ in Recorder(allowing: 0) }) == nil)
        #expect(try corpus.selectionNames().isEmpty)
    }
}
