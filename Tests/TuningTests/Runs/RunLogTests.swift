import CorpusStore
import Foundation
import TestSupport
import Testing
import Tuning

@Suite struct RunLogTests {
    private let folder: TemporaryFolder
    private var file: URL { folder.url.appendingPathComponent("log.jsonl") }
    private let identity = RunIdentity(
        model: "sha256:m", selection: "best", selectionDigest: .numbered(0), configuration: TrainingConfiguration())

    init() throws { folder = try TemporaryFolder() }

    private func step(_ number: Int) -> RunLogEntry {
        .step(.init(step: number, loss: 0.5, gradNorm: 1, lr: 1e-4, samples: number * 8, epoch: 0, timesteps: [3, 9]))
    }

    private func write(_ entries: [RunLogEntry]) throws {
        let log = try RunLog(file, holding: [], files: AtomicFiles(temporaryFolder: folder.url))
        for entry in entries { try log.append(entry) }
    }

    @Test func entriesComeBack() throws {
        let entries: [RunLogEntry] = [
            .run(identity), .resolution(.init(epoch: 0, selection: .numbered(0), count: 5)), step(1),
            .checkpoint(.init(step: 1, checkpoint: "c1")), .resumed(.init(step: 1, checkpoint: "c1")),
            .finished(.init(step: 1, adapter: "a")),
        ]
        try write(entries)
        #expect(try RunLog.read(file) == entries)
    }

    @Test func aTornLastLineWasNotWritten() throws {
        try write([.run(identity), step(1), step(2)])
        let whole = try Data(contentsOf: file)
        let last = whole.dropLast().lastIndex(of: UInt8(ascii: "\n")) ?? 0
        for length in [last + 1, last + 2, whole.count - 1] {
            try whole.prefix(length).write(to: file)
            #expect(try RunLog.read(file) == [.run(identity), step(1)])
        }
    }

    @Test func damageInTheMiddleIsAnError() throws {
        try write([.run(identity), step(1), step(2)])
        var text = try String(contentsOf: file, encoding: .utf8)
        text = text.replacingOccurrences(of: "\"step\":1", with: "\"step\":")
        try text.write(to: file, atomically: true, encoding: .utf8)
        #expect(throws: RunLogError.self) { try RunLog.read(file) }
    }

    @Test func rewindingKeepsAnnouncedSelections() {
        let entries: [RunLogEntry] = [
            .run(identity), .resolution(.init(epoch: 0, selection: .numbered(0), count: 5)), step(1), step(2),
            .checkpoint(.init(step: 2, checkpoint: "c2")), step(3),
            .resolution(.init(epoch: 1, selection: .numbered(1), count: 7)), step(4),
            .checkpoint(.init(step: 4, checkpoint: "c4")),
        ]
        let rewound = entries.rewound(to: 2)
        #expect(
            rewound == [
                .run(identity), .resolution(.init(epoch: 0, selection: .numbered(0), count: 5)), step(1), step(2),
                .checkpoint(.init(step: 2, checkpoint: "c2")),
                .resolution(.init(epoch: 1, selection: .numbered(1), count: 7)),
            ])
        #expect(rewound.resolutions == [0: .numbered(0), 1: .numbered(1)])
    }

    @Test func differencesNameTheField() {
        var changed = TrainingConfiguration()
        changed.rank = 8
        changed.steps = 900
        changed.optimizer.learningRate = 1e-3
        let other = RunIdentity(
            model: "sha256:n", selection: "best", selectionDigest: .numbered(0), configuration: changed)
        #expect(Set(other.differences(from: identity).map(\.field)) == ["model", "rank", "lr"])
        #expect(identity.differences(from: identity).isEmpty)
    }

    @Test func runNamesStayInsideTheirFolder() {
        for bad in ["", "..", ".hidden", "a/b", "a b", "ü", String(repeating: "x", count: 129)] {
            #expect(RunFolder.problem(withName: bad) != nil, "\(bad)")
        }
        for good in ["demo", "sd21-r32_v2.1"] { #expect(RunFolder.problem(withName: good) == nil) }
    }
}
