import NearMisses
import Shapes
import Testing

@Suite("Near misses by rules") struct NearMissRulesTests {
    private func all(_ prompt: String) -> [String] { NearMissRules().negatives(of: prompt, count: 1000) }

    @Test(
        "Every prompt of the shapes benchmark has near misses of its grammar", arguments: ShapesPrompt.Category.allCases
    )
    func shapes(category: ShapesPrompt.Category) {
        for prompt in PromptSets.train where prompt.category == category {
            let near = NearMissRules().negatives(of: prompt.text, count: 6)
            #expect(near.count == 6, "\(prompt.text): \(near)")
            #expect(Set(near).count == 6 && !near.contains(prompt.text))
            for text in near { #expect(ShapesPrompt(text) != prompt) }
            // Counts beyond four, and two shapes alike, are the only ones that the grammar lacks.
            #expect(near.count { ShapesPrompt($0) != nil } >= 4, "\(prompt.text): \(near)")
        }
    }

    @Test(
        "Attributes change places",
        arguments: [
            ("a red cross and a pink star", "a pink cross and a red star"),
            ("a circle to the left of a square", "a square to the left of a circle"),
            ("An apple beside a banana, and two red cups", "A banana beside an apple, and two red cups"),
        ])
    func exchanges(prompt: String, expected: String) { #expect(all(prompt).contains(expected)) }

    @Test("What means the same is no near miss") func synonyms() {
        #expect(!all("a star and a circle").contains("a circle and a star"))
        #expect(!all("a red cross and a pink star").contains("a pink star and a red cross"))
        #expect(!all("a big red car").contains("a large red car"))
        #expect(!all("a cat next to a dog").contains("a cat near a dog"))
    }

    @Test(
        "Words are replaced in natural English",
        arguments: [
            ("A man riding a brown horse on the beach", "A woman riding a brown horse on the beach"),
            (
                "Two dogs are sitting on a wooden bench next to a small red car.",
                "One dog is sitting on a wooden bench next to a small red car."
            ),
            (
                "Two dogs are sitting on a wooden bench next to a small red car.",
                "Two dogs are sitting on a metal bench next to a small red car."
            ),
            ("a photo of 3 black cats", "a photo of 2 black cats"),
            ("a photo of 3 black cats", "a photo of 1 black cat"),
            ("a vase behind a large lamp", "a vase in front of a large lamp"),
            ("a vase behind a large lamp", "a vase behind a small lamp"),
            ("one red cross", "two red crosses"), ("two women and an open book", "two men and a closed book"),
        ])
    func replacements(prompt: String, expected: String) {
        if prompt.hasPrefix("two women") {
            #expect(
                all(prompt).contains("two men and an open book") && all(prompt).contains("two women and a closed book"))
        } else {
            #expect(all(prompt).contains(expected), "\(all(prompt))")
        }
    }

    @Test(
        "Words in another sense stay",
        arguments: [
            ("An orange on a table", "orange"), ("people cross the street at night", "cross"),
            ("no one is here", "one"),
        ])
    func senses(prompt: String, word: String) { for near in all(prompt) { #expect(near.contains(word), "\(near)") } }

    @Test("A prompt without known words has none") func none() {
        #expect(all("serenity").isEmpty)
        #expect(all("").isEmpty)
    }

    @Test("The same seed gives the same, another seed others") func seeds() {
        let prompt = "an orange star above a blue diamond"
        #expect(
            NearMissRules(seed: 1).negatives(of: prompt, count: 8)
                == NearMissRules(seed: 1).negatives(of: prompt, count: 8))
        #expect(
            NearMissRules(seed: 1).negatives(of: prompt, count: 8)
                != NearMissRules(seed: 2).negatives(of: prompt, count: 8))
        #expect(Array(all(prompt).prefix(3)) == NearMissRules().negatives(of: prompt, count: 3))
        // What the models are measured with must not change with the words' order in a table.
        #expect(
            NearMissRules().negatives(of: "a red cross and a pink star", count: 3) == [
                "a pink cross and a red star", "a red cross and a pink triangle", "a red cross and a green star",
            ])
    }
}
