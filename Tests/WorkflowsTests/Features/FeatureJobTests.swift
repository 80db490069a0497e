import Codecs
import CorpusStore
import Foundation
import Statistics
import Tensors
import TestSupport
import Testing
import Workflows

/// Features of folders and corpora by a small encoder, and their comparison.
@Suite struct FeatureJobTests {
    private static let encoders = Repository.root.appending(path: "Tests/Goldens/vision")

    private func job(_ name: String = "clip") -> FeatureJob {
        var job = FeatureJob(encoder: Self.encoders.appending(path: name))
        job.batch = 4
        return job
    }

    /// A folder of PNG files whose pixels follow from their seeds.
    private func folder(_ scratch: Scratch, _ name: String, _ seeds: Range<UInt64>) throws -> URL {
        let folder = scratch.url(name)
        try FileManager.default.createDirectory(
            at: folder.appending(path: "below"), withIntermediateDirectories: true)
        for seed in seeds {
            let place = (seed % 2 == 0 ? "" : "below/") + "image-\(seed).png"
            try Data(Made.record(seed).png).write(to: folder.appending(path: place))
        }
        try Data("not an image".utf8).write(to: folder.appending(path: "notes.txt"))
        return folder
    }

    @Test func aFolderAndACorpusGiveTheSame() throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("corpus")
        try Made.fill(corpus, count: 10)
        let folder = try folder(scratch, "images", 0..<10)
        let files = (scratch.url("folder.npz"), scratch.url("corpus.npz"))
        let recorder = Recorder()
        #expect(try job().run(over: ImageSupply(folder: folder), to: files.0, monitor: recorder) == 10)
        #expect(recorder.total == 10 && recorder.reports == [4, 8, 10])
        #expect(
            try job().run(over: ImageSupply(corpus: corpus, selection: "best"), to: files.1, monitor: Recorder()) == 10)

        let (first, second) = (
            try #require(try FeatureFile(files.0.path).features), try #require(try FeatureFile(files.1.path).features)
        )
        #expect(
            first.width == 24 && first.encoder == second.encoder && first.encoder?.hasPrefix("clip sha256:") == true)
        #expect(first.names?.first == "below/image-1.png" && Set(first.names ?? []).count == 10)
        #expect(Set(second.names ?? []) == Set(try corpus.ids(CatalogueQuery()).map(\.hex)))
        func sorted(_ features: Features) -> [[Double]] {
            (0..<features.count).map { Array(features.matrix.row($0)) }.sorted { $0[0] < $1[0] }
        }
        #expect(sorted(first) == sorted(second))
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.url.path)
        #expect(!left.contains { $0.contains("tmp") }, "\(left)")
    }

    @Test func whatAStoppedRunHadDoneIsKept() throws {
        let scratch = try Scratch()
        let folder = try folder(scratch, "images", 0..<10)
        let (whole, file) = (scratch.url("whole.npz"), scratch.url("parts.npz"))
        #expect(try job().run(over: ImageSupply(folder: folder), to: whole, monitor: Recorder()) == 10)
        let stopped = Recorder(allowing: 2)
        #expect(try job().run(over: ImageSupply(folder: folder), to: file, monitor: stopped) == nil)
        #expect(stopped.reports == [4, 8] && !FileManager.default.fileExists(atPath: file.path))
        // Cut off within a row, as by a kill: whole rows stay, and the batch that lacks one is made again.
        let partial = scratch.url(".parts.npz.partial")
        let data = try Data(contentsOf: partial)
        try data.dropLast(10).write(to: partial)
        let second = Recorder()
        #expect(try job().run(over: ImageSupply(folder: folder), to: file, monitor: second) == 10)
        #expect(second.reports == [4, 8, 10])
        #expect(try Data(contentsOf: file) == Data(contentsOf: whole))
        #expect(!FileManager.default.fileExists(atPath: partial.path))
        // Of other images nothing is taken over.
        try data.write(to: partial)
        let others = try self.folder(scratch, "others", 20..<24)
        let third = Recorder()
        #expect(try job().run(over: ImageSupply(folder: others), to: file, monitor: third) == 4)
        #expect(third.reports == [4])
    }

    @Test func promptsHaveVectors() throws {
        let small = try SmallCorpus()
        let file = small.scratch.url("text.npz")
        let job = PromptFeatureJob(model: Repository.tinySD)
        #expect(
            try job.run(over: small.corpus, selection: nil, condition: nil, to: file, monitor: Recorder()) == 6)
        let features = try #require(try FeatureFile(file.path).features)
        #expect(features.encoder?.hasPrefix("prompt_text sha256:") == true && features.count == 6)
        let rows = try small.corpus.query(CatalogueQuery())
        let vectors = Dictionary(
            uniqueKeysWithValues: zip(features.names ?? [], (0..<6).map { Array(features.matrix.row($0)) }))
        let byPrompt = Dictionary(grouping: rows) { $0.prompt }.mapValues { Set($0.compactMap { vectors[$0.id.hex] }) }
        #expect(byPrompt.values.allSatisfy { $0.count == 1 }, "one prompt, one vector")
        #expect(Set(byPrompt.values.compactMap(\.first)).count == 2)
        // They are taken in as vectors of that name.
        let taken = try VectorImportJob(file: file).run(in: small.corpus)
        #expect(taken.name == "prompt_text" && taken.vectors == 6 && taken.width == features.width)
        let stopped = small.scratch.url("stopped.npz")
        #expect(
            try job.run(over: small.corpus, selection: nil, condition: nil, to: stopped, monitor: Recorder(allowing: 0))
                == nil)
        #expect(!FileManager.default.fileExists(atPath: stopped.path))
    }

    @Test func normalizedVectorsHaveLengthOne() throws {
        let scratch = try Scratch()
        var job = job("dinov2")
        job.isNormalized = true
        let file = scratch.url("out/normalized.npz")
        _ = try job.run(over: ImageSupply(folder: folder(scratch, "images", 0..<4)), to: file, monitor: Recorder())
        let features = try #require(try FeatureFile(file.path).features)
        #expect(features.matrix.squaredNorms.allSatisfy { abs($0 - 1) < 1e-5 })
    }

    @Test func stoppedWorkWritesNothing() throws {
        let scratch = try Scratch()
        let file = scratch.url("stopped.npz")
        let images = try ImageSupply(folder: folder(scratch, "images", 0..<10))
        #expect(try job().run(over: images, to: file, monitor: Recorder(allowing: 1)) == nil)
        #expect(!FileManager.default.fileExists(atPath: file.path))
    }

    @Test func whatCannotBeReadIsNamed() throws {
        let scratch = try Scratch()
        let folder = try folder(scratch, "images", 0..<3)
        try Data("text".utf8).write(to: folder.appending(path: "broken.jpg"))
        let file = scratch.url("features.npz")
        try Data("earlier".utf8).write(to: file)
        let error = #expect(throws: Failure.self) {
            _ = try job().run(over: ImageSupply(folder: folder), to: file, monitor: Recorder())
        }
        #expect(error?.description.contains("broken.jpg: is not a PNG, JPEG or WebP image") == true)
        #expect(try Data(contentsOf: file) == Data("earlier".utf8))
        for place in ["images/below/none", "images/notes.txt"] {
            #expect(throws: Failure.self) { _ = try ImageSupply(folder: scratch.url(place)) }
        }
        try FileManager.default.createDirectory(at: scratch.url("empty"), withIntermediateDirectories: true)
        let none = #expect(throws: Failure.self) { _ = try ImageSupply(folder: scratch.url("empty")) }
        #expect(none?.description.contains("has no PNG, JPEG or WebP images") == true)
    }

    @Test func foldersSelectionsAndFilesAreCompared() throws {
        let scratch = try Scratch()
        let corpus = try scratch.corpus("corpus")
        try Made.fill(corpus, count: 12, from: 50)
        let folder = try folder(scratch, "images", 0..<10)
        let file = scratch.url("features.npz")
        _ = try job().run(over: ImageSupply(folder: folder), to: file, monitor: Recorder())
        var job = QualityJob()
        job.settings.resamples = 50
        func compare(_ a: String, _ b: String) throws -> QualityReport? {
            try job.run(a, b, corpus: { corpus }, monitor: { _, _ in Recorder() })
        }
        let needsEncoder = #expect(throws: Failure.self) { _ = try compare(file.path, folder.path) }
        #expect(needsEncoder?.description.contains("--encoder") == true)

        job.extraction = self.job()
        let report = try #require(try compare(file.path, "best"))
        #expect(report.values.count == 7 && report.generatedImages == 12 && report.generated == "best")
        let same = try #require(try compare(file.path, folder.path))
        #expect(same.values.first { $0.name == "cmmd" }.map { abs($0.value) < 1e-6 } == true)

        job.extraction = self.job("clip-whole")
        let other = #expect(throws: MetricsError.self) { _ = try compare(file.path, folder.path) }
        #expect(other?.description.contains("compare features of one encoder") == true)
    }

    /// CMMD's definition scales CLIP's embeddings to length 1, whoever wrote them down.
    @Test func cmmdScalesEmbeddingsOfCLIP() throws {
        let scratch = try Scratch()
        var (plain, scaled) = (self.job(), self.job())
        (plain.isNormalized, scaled.isNormalized) = (false, true)
        var values: [Double] = []
        for job in [plain, scaled] {
            let files = try [0..<8, 20..<28].map { (seeds: Range<UInt64>) in
                let file = scratch.url("\(seeds.lowerBound)-\(job.isNormalized).npz")
                let folder = try folder(scratch, "images-\(seeds.lowerBound)-\(job.isNormalized)", seeds)
                _ = try job.run(over: ImageSupply(folder: folder), to: file, monitor: Recorder())
                return try FeatureFile(file.path)
            }
            var settings = QualitySettings()
            settings.metrics = [.cmmd]
            values.append(
                try QualityReport(reference: files[0], generated: files[1], settings).values.first?.value ?? .nan)
        }
        #expect(abs(values[0] - values[1]) < 1e-4 * values[0])
    }
}
