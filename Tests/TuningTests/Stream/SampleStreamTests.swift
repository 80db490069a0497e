import CorpusStore
import Tensors
import TestSupport
import Testing
import Tuning

@Suite struct SampleStreamTests {
    private let ids = (0..<23).map { Digest.numbered($0) }

    private func taken(_ count: Int, by size: Int, seed: UInt64 = 9) -> [StreamEntry] {
        var stream = SampleStream(seed: seed)
        var entries: [StreamEntry] = []
        while entries.count < count {
            entries += stream.take(min(size, count - entries.count)) { _ in ids }
        }
        return entries
    }

    @Test func everyEpochIsAPermutation() {
        let entries = taken(3 * ids.count, by: 5)
        for epoch in 0..<3 {
            let part = entries[epoch * ids.count..<(epoch + 1) * ids.count].map(\.id)
            #expect(part.sorted() == ids.sorted())
            #expect(part != ids)
        }
        #expect(entries[0..<23].map(\.id) != entries[23..<46].map(\.id))
        #expect(entries.map(\.index) == Array(0..<69))
    }

    @Test(arguments: [1, 2, 7, 23, 64]) func batchSizeChangesNothing(size: Int) {
        #expect(taken(64, by: size) == taken(64, by: 3))
    }

    @Test func whatComesNextIsKnownWithinAnEpoch() {
        var stream = SampleStream(seed: 9)
        #expect(stream.upcoming(4).isEmpty)
        _ = stream.take(20) { _ in ids }
        let next = stream.upcoming(4)
        #expect(next.count == 3 && stream.take(3) { _ in ids }.map(\.id) == next)
        #expect(stream.upcoming(4).isEmpty)
    }

    @Test func anotherSeedIsAnotherOrder() {
        #expect(taken(23, by: 5) != taken(23, by: 5, seed: 10))
    }

    @Test func aRestartGoesOnWhereItStopped() {
        let whole = taken(60, by: 4)
        for stop in [0, 1, 22, 23, 24, 46, 59] {
            var first = SampleStream(seed: 9)
            let before = first.take(stop) { _ in ids }
            #expect(first.position.consumed == stop)
            var second = SampleStream(seed: 9, position: first.position)
            #expect(before + second.take(60 - stop) { _ in ids } == whole)
        }
    }

    @Test func aSelectionMayGrowAtAnEpochBoundary() {
        var stream = SampleStream(seed: 1)
        var asked: [Int] = []
        let entries = stream.take(12) { epoch in
            asked.append(epoch)
            return Array(ids.prefix(epoch == 0 ? 3 : 4))
        }
        #expect(asked == [0, 1, 2, 3])
        #expect(Set(entries[3..<7].map(\.id)) == Set(ids.prefix(4)))
        #expect(stream.position == StreamPosition(epoch: 3, offset: 1, consumed: 12))
    }

    @Test func anEmptySelectionEndsTheTaking() {
        var stream = SampleStream(seed: 1)
        #expect(stream.take(3) { _ in [] }.isEmpty)
    }

    @Test func drawsBelongToTheSampleAlone() {
        let draws = SampleDraws(seed: 4)
        let noise = draws.noise(17, shape: [4, 8, 8])
        #expect(noise.values == SampleDraws(seed: 4).noise(17, shape: [4, 8, 8]).values)
        #expect(noise.values != draws.noise(18, shape: [4, 8, 8]).values)
        #expect(noise.values != SampleDraws(seed: 5).noise(17, shape: [4, 8, 8]).values)
        let mean = noise.values.reduce(0, +) / Float(noise.count)
        #expect(abs(mean) < 0.25)
    }

    @Test func timestepsCoverTheirRange() {
        let draws = SampleDraws(seed: 4)
        let timesteps = (0..<5000).map { draws.timestep($0, of: 1000) }
        #expect(timesteps.allSatisfy { (0..<1000).contains($0) })
        let mean = Double(timesteps.reduce(0, +)) / 5000
        #expect(abs(mean - 499.5) < 20)
        #expect(Set(timesteps).count > 950)
    }
}
