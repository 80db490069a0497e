import CorpusStore
import Foundation
import Interchange
import Synchronization
import TestSupport
import Testing

/// A source whose samples are made up; an empty image is an error.
private struct FakeSource: ExportSource {
    var samples: [(facts: SampleFacts, png: [UInt8])]
    var identity = "fake"
    var scorers: [String] = ["hps"]
    var count: Int { samples.count }

    struct Gone: Error {}

    /// Samples whose images are as long as their number.
    init(count: Int) {
        samples = (0..<count).map {
            (
                SampleFacts(id: .numbered(1000 + $0), prompt: "no. \($0)"),
                [UInt8](repeating: UInt8($0 % 251), count: $0 + 1)
            )
        }
    }

    func facts(_ range: Range<Int>) throws -> [SampleFacts] { samples[range].map(\.facts) }

    func images(_ range: Range<Int>) throws -> [[UInt8]] {
        try samples[range].map { if $0.png.isEmpty { throw Gone() } else { $0.png } }
    }

    func forEachLatent(_ range: Range<Int>, _ body: ([Float]) -> Void) throws { throw Gone() }

    func records(_ range: Range<Int>) throws -> [SampleRecord] { throw Gone() }
}

@Suite struct ExportTests {
    private let scratch: Scratch
    private let source: FakeSource
    private let first = Digest.numbered(1)
    private let second = Digest.numbered(2)

    init() throws {
        scratch = try Scratch()
        var source = FakeSource(count: 2)
        source.samples = [
            (
                SampleFacts(
                    id: .numbered(1), prompt: "a \"red\" circle/\u{661F}", mi: 21.5, seed: "18446744073709551615",
                    annotations: ["hps": 0.25]), [1, 2]
            ),
            (SampleFacts(id: .numbered(2), prompt: "a star"), [3]),
        ]
        self.source = source
    }

    private func contents(_ folder: URL) throws -> [String: Data] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        var files: [String: Data] = [:]
        for path in paths {
            if let data = try? Data(contentsOf: folder.appending(path: path)) { files[path] = data }
        }
        return files
    }

    @Test func writesAnImageFolder() throws {
        let to = scratch.url("out")
        #expect(try Export(source, ImageFolderExporter()).run(to: ExportDestination(to)))
        let files = try contents(to)
        #expect(files["train/\(first).png"] == Data([1, 2]))
        #expect(
            files["train/metadata.jsonl"].map { String(decoding: $0, as: UTF8.self) } == #"""
                {"file_name":"\#(first).png","hps":0.25,"id":"\#(first)","mi":21.5,"text":"a \"red\" circle/星"}
                {"file_name":"\#(second).png","hps":null,"id":"\#(second)","mi":null,"text":"a star"}

                """#)
        #expect(files.count == 3, "nothing else is left: \(files.keys)")
    }

    @Test func writesWebDatasetTarsOfEverySize() throws {
        let source = FakeSource(count: 200)
        let (byCount, bySize) = (scratch.url("count"), scratch.url("size"))
        try Export(source, WebDatasetExporter(samplesPerFile: 70)).run(to: ExportDestination(byCount))
        #expect(Set(try contents(byCount).keys) == ["shard-000000.tar", "shard-000001.tar", "shard-000002.tar"])
        try Export(source, WebDatasetExporter(bytesPerFile: 64 << 10)).run(to: ExportDestination(bySize))
        let tars = try contents(bySize)
        #expect(tars.count > 5 && tars.values.allSatisfy { $0.count <= 68 << 10 })
        let again = scratch.url("again")
        try Export(source, WebDatasetExporter(bytesPerFile: 64 << 10)).run(to: ExportDestination(again))
        #expect(try contents(again) == tars, "the same samples give the same bytes")
        let total = try WebDatasetArchive(bySize, text: "text").count
        #expect(total == 200)
    }

    @Test func writesWhatKohyaReads() throws {
        let to = scratch.url("out")
        try Export(source, KohyaExporter(repeats: 3, concept: "best")).run(to: ExportDestination(to))
        let files = try contents(to)
        #expect(files["3_best/\(first).png"] == Data([1, 2]))
        #expect(files["3_best/\(first).caption"] == Data("a \"red\" circle/\u{661F}\n".utf8))
        #expect(files["3_best/\(first).txt"] == files["3_best/\(first).caption"])
        var nameless = source
        nameless.samples[1].facts.prompt = " \n"
        #expect(throws: ExportError.noPrompt(id: second)) {
            try Export(nameless, KohyaExporter(repeats: 3, concept: "best")).run(
                to: ExportDestination(scratch.url("no")))
        }
    }

    @Test func writesWhatT2ICompBenchReads() throws {
        let to = scratch.url("out")
        var source = source
        source.samples[1].facts.prompt = String(repeating: "\u{661F}", count: 200) + "_x"
        try Export(source, CompBenchExporter()).run(to: ExportDestination(to))
        let names = try contents(to).keys.sorted()
        #expect(names.first == "samples/a \"red\" circle \u{661F}_000000.png")
        #expect(names.last?.hasSuffix("_000001.png") == true && names.last?.split(separator: "_").count == 2)
    }

    /// `datasets` would show the score in place of the image.
    @Test func scorersDoNotOverwriteColumns() throws {
        var source = FakeSource(count: 1)
        source.scorers = ["file_name", "hps", "id", "image", "mi", "seed", "text", "x_file_name"]
        source.samples[0].facts.annotations = Dictionary(uniqueKeysWithValues: source.scorers.map { ($0, 0.5) })
        let to = scratch.url("out")
        try Export(source, ImageFolderExporter()).run(to: ExportDestination(to))
        let id = source.samples[0].facts.id
        #expect(
            try contents(to)["train/metadata.jsonl"].map { String(decoding: $0, as: UTF8.self) } == #"""
                {"file_name":"\#(id).png","hps":0.5,"id":"\#(id)","mi":null,"score_file_name":0.5,"score_id":0.5,"score_image":0.5,"score_mi":0.5,"score_text":0.5,"score_x_file_name":0.5,"seed":0.5,"text":"no. 0"}

                """#)
        try Export(source, WebDatasetExporter()).run(to: ExportDestination(scratch.url("tars")))
        let tar = try contents(scratch.url("tars"))["shard-000000.tar"].map { String(decoding: $0, as: UTF8.self) }
        #expect(tar?.contains(#""score_seed":0.5"#) == true && tar?.contains(#""seed":"0""#) == true)
    }

    @Test func refusesAFolderWithSomethingInIt() throws {
        let folder = scratch.url("mine")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data().write(to: folder.appending(path: "mine.txt"))
        #expect(throws: ExportError.destinationNotEmpty(path: folder.path)) { try ExportDestination(folder) }
    }

    @Test func leavesNothingBehindWhenItFails() throws {
        var broken = source
        broken.samples[1].png = []
        #expect(throws: FakeSource.Gone.self) {
            try Export(broken, ImageFolderExporter()).run(to: ExportDestination(scratch.url("out")))
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).isEmpty)
    }

    /// Stops an export after its first part of this run.
    private func afterOnePart() -> () -> Bool {
        var asked = 0
        return {
            asked += 1
            return asked > 1
        }
    }

    @Test func goesOnWhereItStopped() throws {
        let source = FakeSource(count: 1300)
        let whole = scratch.url("whole")
        try Export(source, ImageFolderExporter()).run(to: ExportDestination(whole))
        let to = scratch.url("out")
        for _ in 0..<2 {
            let isFinished = try Export(source, ImageFolderExporter()).run(
                to: ExportDestination(to),
                isCancelled: afterOnePart())
            #expect(!isFinished && !FileManager.default.fileExists(atPath: to.path))
        }
        // What was written is not read again: its images could be gone by now.
        var rest = source
        for index in 0..<1024 { rest.samples[index].png = [] }
        let firstReport = Mutex<Int?>(nil)
        try Export(rest, ImageFolderExporter()).run(
            to: ExportDestination(to), report: { done in firstReport.withLock { $0 = $0 ?? done } })
        #expect(firstReport.withLock { $0 } == 1024)
        #expect(try contents(to) == contents(whole))
    }

    /// What was written is not thrown away because the note of it cannot be read for a moment.
    @Test func aNoteThatCannotBeReadIsNotMissing() throws {
        let to = scratch.url("out")
        _ = try Export(FakeSource(count: 1300), ImageFolderExporter()).run(
            to: ExportDestination(to), isCancelled: afterOnePart())
        let note = scratch.url(".out.partial/.progress")
        let kept = try Data(contentsOf: note)
        try FileManager.default.removeItem(at: note)
        try FileManager.default.createSymbolicLink(atPath: note.path, withDestinationPath: note.path)
        #expect(throws: ExportError.self) {
            try Export(FakeSource(count: 1300), ImageFolderExporter()).run(to: ExportDestination(to))
        }
        try FileManager.default.removeItem(at: note)
        try kept.write(to: note)
        let firstReport = Mutex<Int?>(nil)
        try Export(FakeSource(count: 1300), ImageFolderExporter()).run(
            to: ExportDestination(to), report: { done in firstReport.withLock { $0 = $0 ?? done } })
        #expect(firstReport.withLock { $0 } == 512)
    }

    @Test func anotherExportStartsOver() throws {
        let source = FakeSource(count: 600)
        let to = scratch.url("out")
        _ = try Export(source, ImageFolderExporter()).run(
            to: ExportDestination(to),
            isCancelled: afterOnePart())
        var other = source
        other.identity = "other"
        try Export(other, KohyaExporter(repeats: 1, concept: "x")).run(to: ExportDestination(to))
        #expect(try contents(to).keys.filter { !$0.hasPrefix("1_x") }.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path) == ["out"])
    }
}
