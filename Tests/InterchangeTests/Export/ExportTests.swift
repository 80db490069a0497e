import Corpus
import Foundation
import Interchange
import Testing

/// A source whose samples are made up; a missing picture is an error.
private struct FakeSource: ExportSource {
    var samples: [ExportSample]
    var ids: [String] { samples.map(\.id) }

    struct Gone: Error {}

    func sample(_ id: String) throws -> ExportSample {
        guard let sample = samples.first(where: { $0.id == id }), !sample.png.isEmpty else { throw Gone() }
        return sample
    }

    func record(_ id: String) throws -> SampleRecord { throw Gone() }
}

@Suite struct ExportTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("attune-export-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private let source = FakeSource(samples: [
        ExportSample(id: "sha256:aa", prompt: "a \"red\" circle/\u{661F}", mi: 21.5, png: Data([1, 2])),
        ExportSample(id: "sha256:bb", prompt: "a star", mi: nil, png: Data([3])),
    ])

    @Test func writesAnImageFolder() throws {
        let to = folder.appendingPathComponent("out")
        try ExportDestination(to).fill { try ImageFolderExporter().write(source, into: $0) { _ in } }
        let train = to.appendingPathComponent("train")
        #expect(try Data(contentsOf: train.appendingPathComponent("aa.png")) == Data([1, 2]))
        let lines = try String(contentsOf: train.appendingPathComponent("metadata.jsonl"), encoding: .utf8)
            .split(separator: "\n")
        #expect(
            lines == [
                #"{"file_name":"aa.png","id":"sha256:aa","mi":21.5,"text":"a \"red\" circle/星"}"#,
                #"{"file_name":"bb.png","id":"sha256:bb","mi":null,"text":"a star"}"#,
            ])
        try FileManager.default.removeItem(at: folder)
    }

    @Test func refusesAFolderWithSomethingInIt() throws {
        try Data().write(to: folder.appendingPathComponent("mine.txt"))
        #expect(throws: ExportError.destinationNotEmpty(path: folder.path)) { try ExportDestination(folder) }
        try FileManager.default.removeItem(at: folder)
    }

    @Test func leavesNothingBehindWhenItFails() throws {
        var broken = source
        broken.samples[1] = ExportSample(id: "sha256:bb", prompt: "a star", mi: nil, png: Data())
        let to = folder.appendingPathComponent("out")
        #expect(throws: FakeSource.Gone.self) {
            try ExportDestination(to).fill { try ImageFolderExporter().write(broken, into: $0) { _ in } }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        try FileManager.default.removeItem(at: folder)
    }
}
