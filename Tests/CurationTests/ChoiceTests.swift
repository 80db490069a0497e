import Curation
import Tensors
import Testing

@Suite struct VectorChoiceTests {
    /// Three bundles of directions, of which the first has most members.
    private static func bundles() throws -> UnitVectors {
        let draws = CounterGenerator(seed: 4, stream: 2)
        let noise = draws.normal([60, 8]).values
        var values: [Float] = []
        for row in 0..<60 {
            let bundle = row < 40 ? 0 : row < 55 ? 1 : 2
            for column in 0..<8 { values.append((column == bundle ? 1 : 0) + 0.03 * noise[row * 8 + column]) }
        }
        return try UnitVectors(values, width: 8, source: "test")
    }

    private static func bundle(_ place: Int) -> Int { place < 40 ? 0 : place < 55 ? 1 : 2 }

    @Test func farthestPointsComeFromEveryBundle() throws {
        let chosen = try DiverseChoice.choose(Self.bundles(), count: 3)
        #expect(Set(chosen.map(Self.bundle)).count == 3)
        #expect(chosen.first == 0)
    }

    /// Each next one is the farthest, checked against a plain statement of it.
    @Test func eachNextOneIsTheFarthest() throws {
        let vectors = try Self.bundles()
        let chosen = try DiverseChoice.choose(vectors, count: 12)
        func cosine(_ a: Int, _ b: Int) -> Float {
            (0..<8).reduce(0) { $0 + vectors.values[a * 8 + $1] * vectors.values[b * 8 + $1] }
        }
        for count in 1..<chosen.count {
            let before = chosen.prefix(count)
            func distance(_ place: Int) -> Float { before.map { 1 - cosine($0, place) }.min() ?? 2 }
            let farthest = (0..<vectors.count).filter { !before.contains($0) }.map(distance).max() ?? 0
            #expect(abs(distance(chosen[count]) - farthest) < 1e-5)
        }
    }

    @Test func aScoreWeighsAgainstDiversity() throws {
        let vectors = try Self.bundles()
        // The last of the first bundle are the best.
        let scores = (0..<60).map { place in place < 40 ? Double(place) : -Double(place) }
        let byScore = try DiverseChoice.choose(vectors, count: 5, scores: scores, trade: 1)
        #expect(byScore == [39, 38, 37, 36, 35])
        let mixed = try DiverseChoice.choose(vectors, count: 3, scores: scores, trade: 0.3)
        #expect(mixed.first == 39 && Set(mixed.map(Self.bundle)).count == 3)
    }

    @Test func moreThanThereAreIsRefused() throws {
        let error = #expect(throws: CurationError.self) { _ = try DiverseChoice.choose(Self.bundles(), count: 61) }
        #expect(error?.description == "--diverse 61: is more than fit, 60: ask for fewer")
        #expect(throws: CurationError.self) {
            _ = try DiverseChoice.choose(Self.bundles(), count: 3, scores: (0..<60).map { $0 == 7 ? .nan : 1 })
        }
        #expect(throws: CurationError.self) { _ = try Clusters.assign(Self.bundles(), count: 61) }
    }

    @Test func clustersAreTheBundles() throws {
        let clusters = try Clusters.assign(Self.bundles(), count: 3)
        for place in clusters.indices {
            #expect(clusters[place] == clusters[place < 40 ? 0 : place < 55 ? 40 : 55])
        }
        #expect(Set(clusters).count == 3)
        #expect(try Clusters.assign(Self.bundles(), count: 3) == clusters)
        // Copies of one vector make fewer clusters than were asked for, and no trouble.
        let same = try UnitVectors([Float](repeating: 1, count: 20), width: 2, source: "test")
        #expect(try Clusters.assign(same, count: 4).count == 10)
    }

    @Test func vectorsWithLargeCosinesAreDuplicates() throws {
        var values = CounterGenerator(seed: 7, stream: 3).normal([2500, 16]).values
        for (copy, original) in [(1200, 3), (2499, 3), (1800, 900)] {
            for column in 0..<16 {
                values[copy * 16 + column] = 2 * values[original * 16 + column] + 0.001 * Float(column)
            }
        }
        let vectors = try UnitVectors(values, width: 16, source: "test")
        let found = try VectorDuplicates.groups(vectors, threshold: 0.001)
        #expect(found.groups == [[3, 1200, 2499], [900, 1800]])
        let error = #expect(throws: CurationError.self) { _ = try VectorDuplicates.groups(vectors, threshold: 1.4) }
        #expect(error?.description.contains("all 2500 samples into one group") == true)
    }

    @Test func valuesThatAreNoNumbersAreRefused() {
        let error = #expect(throws: CurationError.self) {
            _ = try UnitVectors([1, 2, .nan, 4], width: 2, source: "dinov2")
        }
        #expect(error?.description.hasPrefix("dinov2: vector 1") == true)
    }
}

@Suite struct QuotaAndSplitTests {
    @Test func quotasAreRead() throws {
        #expect(Quota("tag=color:200") == Quota(column: "tag", value: "color", count: 200))
        #expect(Quota("prompt=a: b=c:3") == Quota(column: "prompt", value: "a: b=c", count: 3))
        for text in ["", "tag", "tag=color", "tag:200", "tag=color:0", "tag=color:many", "=color:2", "tag=c:-1"] {
            #expect(Quota(text) == nil, "\(text)")
        }
    }

    private static let tags = ["a", "b", "a", "c", "a", "b"]

    private static func fill(_ quotas: [Quota]) throws -> [Int] {
        try Quota.fill(quotas, count: tags.count) { column, place in column == "tag" ? tags[place] : "all" }
    }

    @Test func theBestOfEachKindAreTaken() throws {
        let quotas = [Quota(column: "tag", value: "a", count: 2), Quota(column: "tag", value: "b", count: 1)]
        #expect(try Self.fill(quotas) == [0, 1, 2])
    }

    @Test func whatCannotBeFilledIsNamed() {
        let few = #expect(throws: CurationError.self) {
            _ = try Self.fill([Quota(column: "tag", value: "b", count: 3)])
        }
        #expect(few?.description == "--quota tag=b:3: only 2 samples fit: ask for fewer, or make more")
        let taken = #expect(throws: CurationError.self) {
            _ = try Self.fill([
                Quota(column: "tag", value: "a", count: 3), Quota(column: "x", value: "all", count: 4),
            ])
        }
        #expect(taken?.description.contains("only 3 samples fit beside the other quotas") == true)
        #expect(throws: CurationError.self) {
            let quota = Quota(column: "tag", value: "a", count: 1)
            _ = try Self.fill([quota, quota])
        }
    }

    @Test func groupsStayTogetherAndSharesAreMet() throws {
        var sets = DisjointSets(100)
        for start in stride(from: 0, to: 100, by: 5) { for member in 1..<5 { sets.join(start, start + member) } }
        let parts = try Split("train=0.8,test=0.2").deal(sets)
        #expect(parts.map(\.count) == [80, 20])
        for part in parts { for place in part { #expect(part.contains(sets.root(place))) } }
        #expect(Set(parts.joined()).count == 100)
    }

    @Test(arguments: [
        "train", "train=1", "train=0.5,test=0.4", "a=0.5,a=0.5", "a=0.5,b", "a/b=0.5,c=0.5", "=0.5,b=0.5",
        "a=nan,b=0.5",
    ])
    func splitsThatAreNoneAreRefused(_ text: String) {
        #expect(throws: CurationError.self) { _ = try Split(text) }
    }

    @Test func aPartThatGetsNothingIsNamed() throws {
        var sets = DisjointSets(10)
        for member in 1..<10 { sets.join(0, member) }
        let error = #expect(throws: CurationError.self) { _ = try Split("train=0.9,test=0.1").deal(sets) }
        #expect(error?.description.contains("--split test=0.1: no samples are left for it") == true)
    }

    @Test func disjointSetsAreGroups() {
        var sets = DisjointSets(6)
        for (a, b) in [(4, 5), (1, 0), (5, 1)] { sets.join(a, b) }
        #expect(sets.groups == [[0, 1, 4, 5]])
    }
}
