import CorpusStore
import Foundation
import TestSupport
import Testing
import Workflows

/// Workers that share a job and were given something else are found, and told what.
@Suite struct ArrayCheckTests {
    private func manifest(_ settings: [String: String], tag: String? = nil, computer: String = "c") -> ArrayManifest {
        ArrayManifest(work: "generate", name: "p.txt", tag: tag, parts: 2, settings: settings, computer: computer)
    }

    private func joined(_ admission: ArrayAdmission) throws -> ArrayMembership {
        guard case .joined(let membership) = admission else { throw Failure("refused") }
        return membership
    }

    @Test func workersAtWorkWithOtherSettingsRefuse() throws {
        let small = try SmallCorpus(isFilled: false)
        let corpus = small.corpus
        let first = try joined(corpus.join(manifest(["--steps": "3"]), besideOthers: false))
        #expect(first.other == nil)
        // The same settings: any number of workers.
        _ = try joined(corpus.join(manifest(["--steps": "3"]), besideOthers: false))
        let other = manifest(["--steps": "4", "--clip-skip": "1"])
        guard case .refused(let by) = try corpus.join(other, besideOthers: false) else {
            Issue.record("not refused")
            return
        }
        #expect(other.differences(from: by).map(\.name) == ["--clip-skip", "--steps"])
        // Asked for, they work beside each other; another tag is another array.
        #expect(try joined(corpus.join(other, besideOthers: true)).isBesideOthers)
        #expect(try joined(corpus.join(manifest(["--steps": "4"], tag: "x"), besideOthers: false)).other == nil)
        // Another processor is said, and no reason to stop.
        let processor = try joined(corpus.join(manifest(["--steps": "3"], computer: "d"), besideOthers: false))
        #expect(processor.isBesideOthers && processor.other?.computer == "c")
        withExtendedLifetime((small, first, processor)) {}
    }

    @Test func onceTheyAreDoneTheNextArrayIsToldAndGoesOn() throws {
        let small = try SmallCorpus(isFilled: false)
        let corpus = small.corpus
        _ = try joined(corpus.join(manifest(["--steps": "3"]), besideOthers: false))
        let next = try joined(corpus.join(manifest(["--steps": "4"]), besideOthers: false))
        #expect(next.other?.settings["--steps"] == "3" && !next.isBesideOthers)
        #expect(try joined(corpus.join(manifest(["--steps": "4"]), besideOthers: false)).other == nil)
        // What is no manifest counts as none.
        let folder = corpus.folder.appending(path: "arrays")
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".json") })
        try Data("{".utf8).write(to: folder.appending(path: file))
        #expect(try joined(corpus.join(manifest(["--steps": "4"]), besideOthers: false)).other == nil)
        #expect(corpus.verify().isEmpty)
        withExtendedLifetime(small) {}
    }

    @Test func generateNamesWhatDiffers() throws {
        let small = try SmallCorpus(isFilled: false)
        var job = small.job
        (job.part, job.array.version) = (Part(index: 1, count: 2), "1")
        // Another worker, of the same prompt file by name, is at work.
        let recorder = Recorder()
        recorder.onUpdate = {
            var other = job
            other.array.version = "2"
            (other.part, other.imagesPerPrompt) = (Part(index: 2, count: 2), 4)
            let failure = #expect(throws: Failure.self) { try other.run(into: small.corpus, monitor: Recorder()) }
            #expect(failure?.description.contains("--images-per-prompt 3 (here 4), attune 1 (here 2)") == true)
            other.array.isBesideOthers = true
            let warned = Recorder(allowing: 0)
            #expect(throws: Never.self) { try other.run(into: small.corpus, monitor: warned) }
            #expect(warned.warnings.first?.contains("other workers are at work with --images-per-prompt 3") == true)
        }
        #expect(try job.run(into: small.corpus, monitor: recorder).made == 3)
        #expect(recorder.onUpdate == nil)
        // Alone, a process makes what it is asked to.
        var alone = small.job
        alone.imagesPerPrompt = 4
        #expect(try alone.run(into: small.corpus, monitor: Recorder()).made == 5)
    }
}
