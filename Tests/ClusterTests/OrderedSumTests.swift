import Cluster
import TestSupport
import Testing

/// Sums of gradients over ranks have the bits of one process's.
@Suite struct OrderedSumTests {
    /// Numbers of very different size, so that another order gives other bits.
    private static func gradient(_ microbatch: Int, _ tensor: Int, _ count: Int) -> [Float] {
        var state = UInt64(microbatch * 1000 + tensor + 1) &* 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let exponent = Int(state >> 60) - 8
            return (Float(state >> 40) / Float(1 << 23) - 1)
                * (exponent < 0 ? 1 / Float(1 << -exponent) : Float(1 << exponent))
        }
    }

    private static let lengths = [7, 1, 300, 0, 64]

    private static func alone(_ microbatches: Int) -> [[Float]] {
        lengths.indices.map { tensor in
            (1..<microbatches).reduce(gradient(0, tensor, lengths[tensor])) { sum, next in
                zip(sum, gradient(next, tensor, lengths[tensor])).map { $0 + $1 }
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 7], [1, 4, 8, 11]) func anyNumberOfRanksGivesTheSameBits(
        ranks: Int, microbatches: Int
    ) throws {
        let expected = Self.alone(microbatches)
        let sums = try ThreadRanks.run(ranks) { group in
            var sum = OrderedSum(group, lengths: Self.lengths)
            for microbatch in 0..<microbatches {
                try sum.add(from: OrderedSum.owner(ofMicrobatch: microbatch, of: group)) { tensor in
                    #expect(group.rank == microbatch % ranks, "only its owner has computed a microbatch")
                    return Self.gradient(microbatch, tensor, Self.lengths[tensor])
                }
            }
            return try sum.total()
        }
        for sum in sums {
            #expect(sum.map { $0.map(\.bitPattern) } == expected.map { $0.map(\.bitPattern) })
        }
    }

    @Test func theOrderMattersForTheseNumbers() {
        let forward = Self.alone(8)[2]
        let backward = (0..<7).reversed().reduce(Self.gradient(7, 2, 300)) { sum, next in
            zip(sum, Self.gradient(next, 2, 300)).map { $0 + $1 }
        }
        #expect(forward.map(\.bitPattern) != backward.map(\.bitPattern))
    }

    @Test func agreementNamesWhatDiffers() throws {
        let errors = try ThreadRanks.run(3) { group in
            let agreement = RankAgreement([
                .init("attune", "0.3"), .init("the model", group.rank == 2 ? "sha256:bb" : "sha256:aa"),
            ])
            do {
                try agreement.check(group)
                return ""
            } catch { return "\(error)" }
        }
        #expect(Set(errors).count == 1, "all ranks say the same")
        #expect(errors[0].hasPrefix("rank 2 has the model sha256:bb, rank 0 has sha256:aa"))
        let none = try ThreadRanks.run(3) { try RankAgreement([.init("attune", "0.3")]).check($0) }
        #expect(none.count == 3)
    }

    @Test func anOlderVersionHasOtherProperties() throws {
        let errors = try ThreadRanks.run(2) { group in
            do {
                try RankAgreement(Array(repeating: .init("a", "b"), count: group.rank + 1)).check(group)
                return ""
            } catch { return "\(error)" }
        }
        #expect(errors[0].contains("different versions of attune"))
    }
}
