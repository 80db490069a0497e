import Diffusion
import Tensors
import Testing
import Tuning

/// However many prompts a run has, it holds few of their embeddings.
@Suite struct PromptEmbeddingsTests {
    /// Of 1,000 bytes, and some for the prompt.
    private func embedding(_ prompt: String) -> PromptEmbedding {
        PromptEmbedding(tokens: Tensor(filled: Float(prompt.utf8.count), shape: [1, 250]))
    }

    @Test func theirNumberIsBounded() {
        var embeddings = PromptEmbeddings(capacity: 100_000)
        var computed = 0
        for start in stride(from: 0, to: 20_000, by: 4) {
            let prompts = (start..<start + 4).map { "prompt \($0)" }
            let found = embeddings(prompts) { prompt in
                computed += 1
                return embedding(prompt)
            }
            #expect(found.map { $0.tokens.values[0] } == prompts.map { Float($0.utf8.count) })
            #expect(embeddings.count <= 100)
        }
        #expect(computed == 20_000)
    }

    @Test func whatIsUsedStays() {
        var embeddings = PromptEmbeddings(capacity: 20_000)
        var computed: [String: Int] = [:]
        for number in 0..<500 {
            _ = embeddings(["always", "always", "once \(number)"]) { prompt in
                computed[prompt, default: 0] += 1
                return embedding(prompt)
            }
        }
        #expect(computed["always"] == 1)
        #expect(computed.count == 501)
    }

    @Test func theFormsOfALetterAreTwoPrompts() {
        var embeddings = PromptEmbeddings()
        var computed = 0
        _ = embeddings(["caf\u{E9}", "cafe\u{301}"]) { prompt in
            computed += 1
            return embedding(prompt)
        }
        #expect(computed == 2)
    }

    /// One batch that is larger than what is held.
    @Test func aBatchIsGivenWhole() {
        var embeddings = PromptEmbeddings(capacity: 3000)
        #expect(embeddings((0..<50).map { "\($0)" }, embedding).count == 50)
        _ = embeddings(["a"], embedding)
        #expect(embeddings.count < 5)
    }
}
