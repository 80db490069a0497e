import Testing
import Workflows

@Suite struct CandidateTests {
    @Test func batchesAreCutAcrossPrompts() {
        let batches = Array(Candidate.batches(prompts: ["a", "b"], imagesPerPrompt: 3, seed: .max, size: 4))
        #expect(batches.map(\.count) == [4, 2])
        let all = batches.flatMap(\.self)
        #expect(all.map(\.prompt) == ["a", "a", "a", "b", "b", "b"])
        #expect(all.map(\.seed) == [.max, 0, 1, .max, 0, 1])
    }
}
