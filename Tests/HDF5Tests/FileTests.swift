import Foundation
import HDF5
import Testing

@Suite struct FileTests {
    private func temporary() -> String {
        FileManager.default.temporaryDirectory.appending(path: "attune-hdf5-\(UUID().uuidString).h5").path
    }

    private func write(_ path: String) throws {
        let file = try FileWriter(path)
        try file.attribute("format", "attune-shard é")
        try file.group("/traces")
        try file.write("/traces/timestep", (0..<12).map(Int32.init), shape: [3, 4])
        try file.write("/empty", [UInt8](), shape: [0])
        let raw = [Float](repeating: 0.5, count: 8).withUnsafeBytes { Array($0) }
        try file.write(
            "/latents", chunks: [.init(bytes: raw, isCompressed: false), .init(bytes: raw, isCompressed: false)],
            shape: [2, 2, 4], of: Float.self)
        try Data(file.finish().bytes).write(to: URL(fileURLWithPath: path))
    }

    @Test func whatIsWrittenComesBack() throws {
        let path = temporary()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write(path)
        let file = try FileReader(opening: path)
        #expect(try file.attribute("format") == "attune-shard é")
        #expect(try file.attribute("nothing") == nil)
        let timesteps = try file.read("/traces/timestep", of: Int32.self, rank: 2)
        #expect(timesteps.values == (0..<12).map(Int32.init) && timesteps.shape == [3, 4])
        #expect(try file.read("/empty", of: UInt8.self, rank: 1).values.isEmpty)
        let latents = try file.readChunks("/latents", rows: [1, 0], of: Float.self, rank: 3)
        #expect(latents.values == [[Float]](repeating: [Float](repeating: 0.5, count: 8), count: 2))
        #expect(try file.members(of: "/") == ["empty", "latents", "traces"])
        #expect(file.exists("/traces/timestep") && !file.exists("/traces/nothing"))
    }

    @Test func theSameCallsGiveTheSameBytes() throws {
        let paths = [temporary(), temporary()]
        defer { for path in paths { try? FileManager.default.removeItem(atPath: path) } }
        for path in paths {
            try write(path)
            Thread.sleep(forTimeInterval: 1.1)
        }
        #expect(FileManager.default.contents(atPath: paths[0]) == FileManager.default.contents(atPath: paths[1]))
    }

    /// Data stay with their owners; the file that is written piece by piece is the one that is made at once.
    @Test func piecesMakeTheWholeFile() throws {
        let file = try FileWriter("pieces")
        let large = (0..<100_000).map { Float($0) }
        try file.group("/a")
        try file.write("/a/large", large, shape: [100, 1000])
        let texts = ["one", "", "three"].map { Array($0.utf8) }
        try file.write("/a/text", pieces: texts, shape: [8], of: UInt8.self)
        let contents = try file.finish()
        var (joined, isByReference) = ([UInt8](), false)
        contents.forEachPiece { piece in
            joined += piece
            large.withUnsafeBytes { isByReference = isByReference || piece.baseAddress == $0.baseAddress }
        }
        #expect(joined == contents.bytes && joined.count == contents.size && isByReference)
        let path = temporary()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(joined).write(to: URL(fileURLWithPath: path))
        let read = try FileReader(opening: path)
        #expect(try read.read("/a/large", of: Float.self, rank: 2).values == large)
        #expect(try read.read("/a/text", of: UInt8.self, rank: 1).values == Array("onethree".utf8))
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let path = temporary()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try write(path)
        let file = try FileReader(opening: path)
        #expect(throws: HDF5Error.self) { try file.read("/traces/timestep", of: Float.self, rank: 2) }
        #expect(throws: HDF5Error.self) { try file.read("/traces/timestep", of: Int32.self, rank: 1) }
        #expect(throws: HDF5Error.self) { try file.readChunks("/latents", rows: [2], of: Float.self, rank: 3) }
        #expect(throws: HDF5Error.self) { _ = try FileReader(opening: path + ".missing") }
        #expect(throws: HDF5Error.self) { _ = try FileReader(opening: "/etc/hostname") }
    }
}
