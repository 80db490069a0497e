import Images
import Codecs
import Diffusion
import DiskAccess
import Foundation
import TestSupport
import Testing
import Workflows

@Suite struct SamplingJobTests {
    private let scratch: Scratch
    private let job: SamplingJob
    private let folder: URL

    init() throws {
        scratch = try Scratch()
        folder = scratch.url("out")
        job = try Self.job(scratch, guidance: 7.5)
    }

    private static func job(_ scratch: Scratch, guidance: Double) throws -> SamplingJob {
        let prompts = try scratch.file("prompts.txt", "a red circle\na star\n")
        var denoising = DenoisingSettings(steps: 2, guidance: guidance, sampler: .ddim)
        denoising.baseline = .none
        var job = SamplingJob(
            prompts: URL(fileURLWithPath: prompts), model: ModelSource(folder: Repository.tinySD), denoising: denoising)
        (job.imagesPerPrompt, job.batch) = (2, 3)
        return job
    }

    @Test func makesOnlyWhatIsMissing() throws {
        let first = try job.run(into: folder, monitor: Recorder())
        #expect(first.made == 4 && first.total == 4 && first.isFinished)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == [
                "0001-42.png", "0001-43.png", "0002-42.png", "0002-43.png", "metadata.jsonl", "sample.json",
            ])
        let image = folder.appending(path: "0002-43.png")
        let bytes = try Data(contentsOf: image)
        #expect(try PNG.decode(Array(bytes)).width == 64)
        try FileManager.default.removeItem(at: image)
        let again = try job.run(into: folder, monitor: Recorder())
        #expect(again.made == 1 && again.skipped == 3)
        #expect(try Data(contentsOf: image) == bytes)
        let records = try SampleFolder(existing: folder).records()
        #expect(records.map(\.text) == ["a red circle", "a red circle", "a star", "a star"])
        #expect(records.map(\.seed) == [42, 43, 42, 43])

        let other = #expect(throws: Failure.self) {
            try Self.job(scratch, guidance: 2).run(into: folder, monitor: Recorder())
        }
        #expect(other?.description.contains("other settings") == true)
    }

    /// What cannot be looked at may be there.
    @Test func whatCannotBeLookedAtIsNotMadeAgain() throws {
        _ = try job.run(into: folder, monitor: Recorder())
        for name in ["0002-43.png", "metadata.jsonl"] {
            let path = folder.appending(path: name).path
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path)
        }
        #expect(throws: DiskError.self) { try job.run(into: folder, monitor: Recorder()) }
        #expect(throws: DiskError.self) { try SampleFolder(existing: folder).records() }
    }

    @Test func stopsBetweenBatches() throws {
        let outcome = try job.run(into: folder, monitor: Recorder(allowing: 1))
        #expect(!outcome.isFinished && outcome.made == 3)
        // Only a finished folder has its list.
        #expect(throws: Failure.self) { try SampleFolder(existing: folder).records() }
        #expect(try job.run(into: folder, monitor: Recorder()).made == 1)
        #expect(try SampleFolder(existing: folder).records().count == 4)
    }
}
