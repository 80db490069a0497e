import Images
import Codecs
import Foundation
import Randomness
import Shapes
import Testing

@Suite("Shapes benchmark") struct ShapesTests {
    @Test("Every prompt of the grammar reads back as itself", arguments: ShapesPrompt.Category.allCases)
    func grammar(category: ShapesPrompt.Category) {
        let expected: [ShapesPrompt.Category: Int] = [
            .color: 1680, .shape: 30, .spatial: 120, .counting: 192, .complex: 6720,
        ]
        let prompts = PromptSets.all(category)
        #expect(prompts.count == expected[category])
        #expect(Set(prompts.map(\.text)).count == prompts.count)
        for prompt in prompts {
            #expect(prompt.category == category)
            #expect(ShapesPrompt(prompt.text) == prompt, "\(prompt.text)")
        }
    }

    @Test(
        "Texts outside the grammar are not prompts",
        arguments: [
            "", "a circle", "a red circle and a red square", "a red circle and a blue circle",
            "a circle and a red square",
            "an red circle and a blue square", "two red circle", "one red circles", "five red circles",
            "a circle under a star",
            "a circle and a square and a star", "three Red circles",
        ])
    func foreignTexts(text: String) {
        #expect(ShapesPrompt(text) == nil)
    }

    @Test("Training and test prompts are 700 and 300, and share none")
    func sets() {
        #expect(PromptSets.train.count == 700)
        #expect(PromptSets.test.count == 300)
        #expect(Set(PromptSets.train).isDisjoint(with: PromptSets.test))
        for category in ShapesPrompt.Category.allCases {
            #expect(PromptSets.test.contains { $0.category == category })
        }
        // What the sets hold must never change: results are compared across versions.
        #expect(PromptSets.train.first?.text == "a red cross and a pink star")
        #expect(PromptSets.test.last?.text == "a cyan circle below a yellow diamond")
    }

    @Test("The judge calls rendered images aligned")
    func rendered() {
        var generator = SplitMix64(seed: 7)
        var wrong: [String] = []
        for prompt in PromptSets.train + PromptSets.test {
            let verdict = ShapesJudge.verdict(on: ShapesRenderer.draw(ShapesLayout(prompt, using: &generator)), prompt)
            if !verdict.aligned { wrong.append("\(prompt.text): \(verdict.reason ?? "")") }
        }
        #expect(wrong.count <= 5, "\(wrong)")
    }

    @Test("The judge calls images of another prompt misaligned")
    func swapped() {
        var generator = SplitMix64(seed: 8)
        // An image of two shapes shows what a prompt with the same shapes asks for; others must differ in their shapes.
        func shapes(_ prompt: ShapesPrompt) -> [String] { prompt.objects.map(\.shape.rawValue).sorted() }
        let pairs = zip(PromptSets.test, PromptSets.test.dropFirst(60)).filter { shapes($0) != shapes($1) }
        #expect(pairs.count > 150)
        for (prompt, other) in pairs {
            let verdict = ShapesJudge.verdict(on: ShapesRenderer.draw(ShapesLayout(prompt, using: &generator)), other)
            #expect(!verdict.aligned && verdict.reason != nil, "\(prompt.text) as \(other.text)")
        }
    }

    private struct Known: Decodable {
        struct Object: Decodable {
            let color: String
            let shape: String
            let iou: Double
        }
        let prompt: String
        let category: String
        let aligned: Bool
        let objects: [Object]
    }

    @Test("The judge agrees with an independent implementation on 400 generated images")
    func judged() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Goldens/shapes-judged")
        let sheet = try PNG.decode([UInt8](Data(contentsOf: folder.appending(path: "images.png"))))
        let lines = try String(contentsOf: folder.appending(path: "verdicts.jsonl"), encoding: .utf8).split(
            separator: "\n")
        let known = try lines.map { try JSONDecoder().decode(Known.self, from: Data($0.utf8)) }
        #expect(known.count == 400)
        var (verdicts, objects, all) = (0, 0, 0)
        for (index, expected) in known.enumerated() {
            let (left, top) = (index % 20 * 64, index / 20 * 64)
            var pixels: [UInt8] = []
            for row in 0..<64 {
                let start = ((top + row) * sheet.width + left) * 3
                pixels += sheet.pixels[start..<start + 64 * 3]
            }
            let prompt = try #require(ShapesPrompt(expected.prompt))
            #expect(prompt.category.rawValue == expected.category)
            let verdict = ShapesJudge.verdict(on: pixels, prompt)
            verdicts += verdict.aligned == expected.aligned ? 1 : 0
            all += expected.objects.count
            objects += expected.objects.count { object in
                verdict.objects.contains {
                    $0.color.rawValue == object.color && $0.shape.rawValue == object.shape
                        && abs($0.iou - object.iou) < 0.05
                }
            }
        }
        #expect(verdicts >= 396, "\(verdicts) of 400 verdicts agree")
        #expect(objects * 100 >= all * 98, "\(objects) of \(all) objects agree")
    }

    @Test("The same seed draws the same image")
    func deterministic() {
        let prompt = PromptSets.test[5]
        func image(_ seed: UInt64) -> [UInt8] {
            var generator = SplitMix64(seed: seed)
            return ShapesRenderer.draw(ShapesLayout(prompt, using: &generator))
        }
        #expect(image(3) == image(3))
        #expect(image(3) != image(4))
    }
}
