import Foundation
import TestSupport
import Testing
import Tuning

/// TensorBoard's event files: the framing against published values, the whole against a parser in Python's standard library
/// (tensorboard_interop.py has TensorBoard's own).
@Suite struct EventFileTests {
    @Test func checksumsAreCastagnolis() {
        // RFC 3720, appendix B.4.
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.checksum(Array(0..<32)) == 0x46dd_794e)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
    }

    private struct Line: Decodable, Equatable {
        var version: String?
        var session: Int?
        var step: Int?
        var tag: String?
        var value: Float?
        var height, width: Int?
        var png: Bool?
    }

    private func lines(_ folder: URL) throws -> [Line] {
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first)
        let script = repository.appendingPathComponent("Tests/Interop/read_events.py").path
        let read = try Programs.run(
            try #require(Programs.python), [script, folder.appendingPathComponent(name).path])
        #expect(read.status == 0, "\(read.errors)")
        return try Data(read.output.utf8).split(separator: UInt8(ascii: "\n")).map {
            try JSONDecoder().decode(Line.self, from: Data($0))
        }
    }

    @Test(.enabled(if: Programs.python != nil, "a Python is needed: make setup-python"))
    func whatIsWrittenIsRead() throws {
        let folder = try TemporaryFolder()
        let place = folder.url.appending(path: "tensorboard")
        do {
            let file = try EventFile(in: place, after: 300)
            try file.add(step: 301, [("train/loss", 0.125), ("größe", -3)])
            try file.add(
                step: 302, tag: "image", png: Data([0x89, 0x50, 0x4e, 0x47] + [UInt8](repeating: 7, count: 300)),
                width: 640,
                height: 8)
        }
        #expect(
            try lines(place) == [
                Line(version: "brain.Event:2"), Line(session: 1, step: 301),
                Line(step: 301, tag: "train/loss", value: 0.125), Line(step: 301, tag: "größe", value: -3),
                Line(step: 302, tag: "image", height: 8, width: 640, png: true),
            ])
    }
}
