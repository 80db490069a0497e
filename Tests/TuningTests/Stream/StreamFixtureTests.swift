import CorpusStore
import Foundation
import Tensors
import TestSupport
import Testing
import Tuning

/// Tests/Interop/python/stream.json holds a run's draws; the Python package is tested against the same file, so that a run
/// can be replayed in PyTorch.
@Suite struct StreamFixtureTests {
    private struct Fixture: Decodable {
        let seed: String
        let count: Int
        let epochs: [Int]
        let order: [[Int]]
        let indices, timesteps: [Int]
        /// Of the last index.
        let noise: [Float]
    }

    @Test func drawsAreThoseOfThePythonPackage() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: folder.appending(path: "Interop/python/stream.json"))
        let fixture = try JSONDecoder().decode(Fixture.self, from: data)
        let seed = try #require(UInt64(fixture.seed))
        let ids = (0..<fixture.count).map { Digest.numbered($0) }
        for (epoch, order) in zip(fixture.epochs, fixture.order) {
            #expect(SampleStream.shuffled(ids, seed: seed, epoch: epoch) == order.map { Digest.numbered($0) })
        }
        let draws = SampleDraws(seed: seed)
        #expect(fixture.indices.map { draws.timestep($0, of: 1000) } == fixture.timesteps)
        let last = try #require(fixture.indices.last)
        for (a, b) in zip(draws.noise(last, shape: [1, fixture.noise.count]).values, fixture.noise) {
            #expect(abs(a - b) < 1e-6)
        }
    }
}
