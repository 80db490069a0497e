import Foundation
import TestSupport
import Testing

@Suite("Options of generate and sample that change images")
struct ImageOptionsTests {
    private struct Row: Decodable {
        let id, recipe: String
        let mi: Double?
        let width, height: Int
    }

    private func rows(_ corpus: String) throws -> [Row] {
        let text = try Attune.succeed("query", "--corpus", corpus, "--json")
        return try JSONDecoder().decode([Row].self, from: Data(text.utf8))
    }

    private func sample(_ scratch: Scratch, _ name: String, _ more: [String], model: String = Attune.model) throws
        -> Data
    {
        let prompts = try scratch.file("prompts.txt", "three pink stars\n")
        let to = scratch.path(name)
        let outcome = try Attune.start(
            ["sample", "--model", model, "--prompts", prompts, "--to", to, "--images-per-prompt", "1", "--steps", "3"]
                + more
        ).wait()
        try #require(outcome.status == 0, "\(more): \(outcome.errors)")
        return try Data(contentsOf: URL(fileURLWithPath: to).appendingPathComponent("0001-42.png"))
    }

    /// tiny-sd with one configuration file changed; removed with the scratch folder.
    private func model(
        _ scratch: Scratch, _ name: String, _ file: String, _ change: (inout [String: Any]) -> Void
    ) throws -> String {
        let folder = URL(fileURLWithPath: scratch.path(name))
        try FileManager.default.copyItem(at: URL(fileURLWithPath: Attune.model), to: folder)
        let url = folder.appendingPathComponent(file)
        var fields = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        change(&fields)
        try JSONSerialization.data(withJSONObject: fields).write(to: url)
        return folder.path
    }

    @Test func guidanceOfOneAndBelowIsThePromptAlone() throws {
        let scratch = try Scratch()
        let one = try sample(scratch, "1", ["--guidance", "1"])
        for guidance in ["0", "0.5"] {
            #expect(try sample(scratch, "g\(guidance)", ["--guidance=\(guidance)"]) == one, "\(guidance)")
        }
        #expect(try sample(scratch, "5", ["--guidance", "5"]) != one)
    }

    @Test func eachOptionMakesOtherImages() throws {
        let scratch = try Scratch()
        var seen: Set<Data> = [try sample(scratch, "plain", [])]
        for (name, options) in [
            "negative": ["--negative-prompt", "a blue square"], "clip": ["--clip-skip", "1"],
            "wide": ["--width", "96"],
            "odd": ["--width", "72", "--height", "104"], "sampler": ["--sampler", "DPM++ 2M Karras"],
        ] {
            #expect(seen.insert(try sample(scratch, name, options)).inserted, "\(name)")
        }
        // What says the same as nothing makes the same.
        #expect(
            seen.contains(try sample(scratch, "same", ["--width", "64", "--clip-skip", "0", "--negative-prompt", ""])))
    }

    @Test func theRecipeHasWhatWasAskedFor() throws {
        let scratch = try Scratch()
        let corpus = scratch.path("corpus")
        let prompts = try scratch.file("prompts.txt", "a star\n")
        try Attune.succeed("init", "--corpus", corpus)
        func generate(_ more: [String]) throws -> String {
            let outcome = try Attune.start(
                [
                    "generate", "--corpus", corpus, "--model", Attune.model, "--prompts", prompts,
                    "--images-per-prompt", "1", "--steps", "2",
                ] + more
            ).wait()
            try #require(outcome.status == 0, "\(outcome.errors)")
            return outcome.output
        }
        let settings = [
            [], ["--negative-prompt", "a blue square"], ["--negative-prompt", "a blue square", "--mi-negative"],
            ["--clip-skip", "2"], ["--width", "96", "--height", "32"], ["--guidance", "0"], ["--sampler", "lcm"],
        ]
        for options in settings {
            #expect(try generate(options).hasPrefix("1 images made, 0 already"), "\(options)")
            #expect(try generate(options).hasPrefix("0 images made, 1 already"), "\(options)")
        }
        let all = try rows(corpus)
        #expect(all.count == settings.count && Set(all.map(\.recipe)).count == settings.count)
        #expect(all.contains { $0.width == 96 && $0.height == 32 && $0.mi != nil })
        // Unguided steps have no trace to score.
        #expect(all.count { $0.mi == nil } == 1)
        // Packing reads every manifest whole and writes it again.
        try Attune.succeed("pack", "--corpus", corpus)
        #expect(try Attune.run("verify", "--corpus", corpus).status == 0)
        #expect(try Set(rows(corpus).map(\.id)) == Set(all.map(\.id)))
        // Monte-Carlo measures latents of any size, and those without a trace.
        let scored = try Attune.run(
            "score", "--corpus", corpus, "--model", Attune.model, "--draws", "1", "--steps", "2")
        #expect(scored.output.hasPrefix("\(settings.count) images scored"), "\(scored.errors)")
    }

    @Test(arguments: [
        ["--guidance", "nan"], ["--guidance", "inf"], ["--guidance", "1", "--negative-prompt", "x"], ["--width", "60"],
        ["--height", "0"], ["--width", "-8"], ["--width", "99999999999"], ["--clip-skip", "-1"], ["--clip-skip", "9"],
        ["--sampler", "heun"], ["--steps", "2000"],
    ])
    func nonsenseIsAUsageError(options: [String]) throws {
        let scratch = try Scratch()
        let prompts = try scratch.file("prompts.txt", "a star\n")
        let to = scratch.path("out")
        let outcome = try Attune.start(
            ["sample", "--model", Attune.model, "--prompts", prompts, "--to", to] + options
        ).wait()
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: to))
    }

    @Test func aFieldThatIsNotFollowedIsNamedUnlessIgnored() throws {
        let scratch = try Scratch()
        let plain = try sample(scratch, "plain", [])
        let prompts = try scratch.file("prompts.txt", "three pink stars\n")
        let odd = try model(scratch, "odd", "unet/config.json") { $0["act_fn"] = "mish" }
        let corpus = try SmallCorpus()
        for command in [
            ["sample", "--model", odd, "--prompts", prompts, "--to", scratch.path("no")],
            ["generate", "--corpus", corpus.path, "--model", odd, "--prompts", prompts],
            ["score", "--corpus", corpus.path, "--model", odd],
        ] {
            let outcome = try Attune.start(command).wait()
            #expect(outcome.status == 1 && outcome.failures.count == 1, "\(outcome.errors)")
            #expect(
                outcome.failures.first?.contains("unet/config.json: act_fn is \"mish\"") == true, "\(outcome.errors)")
        }
        #expect(try sample(scratch, "ignored", ["--ignore-config", "act_fn"], model: odd) == plain)
        #expect(try sample(scratch, "part", ["--ignore-config", "unet.act_fn"], model: odd) == plain)
        let stray = try Attune.run(
            "sample", "--model", odd, "--prompts", prompts, "--to", scratch.path("no"), "--ignore-config", "act_fun")
        #expect(stray.status == 1)
        let other = try Attune.run(
            "sample", "--model", odd, "--prompts", prompts, "--to", scratch.path("no"), "--ignore-config", "act_fn",
            "--ignore-config", "act_fun")
        #expect(other.status == 1 && other.failures.first?.contains("act_fun") == true, "\(other.errors)")
    }

    @Test func aSchedulerFileIsJudgedForTheSampler() throws {
        let scratch = try Scratch()
        let karras = try model(scratch, "karras", "scheduler/scheduler_config.json") {
            $0["_class_name"] = "DPMSolverMultistepScheduler"
            $0["use_karras_sigmas"] = true
            $0["algorithm_type"] = "sde-dpmsolver++"
        }
        _ = try sample(scratch, "ddim", [], model: karras)
        let prompts = try scratch.file("prompts.txt", "three pink stars\n")
        let outcome = try Attune.run(
            "sample", "--model", karras, "--prompts", prompts, "--to", scratch.path("no"), "--sampler", "dpmpp-2m")
        #expect(outcome.status == 1 && outcome.failures.first?.contains("algorithm_type") == true, "\(outcome.errors)")
        let corpus = try SmallCorpus()
        #expect(
            try Attune.run(
                "score", "--corpus", corpus.path, "--model", karras, "--draws", "1", "--steps", "1"
            ).status == 0)
    }

    /// A scaling factor that makes latents overflow: nothing traps, and nothing of it is kept.
    @Test func imagesThatAreNotFiniteAreErrorsOfTheirOwn() throws {
        let scratch = try Scratch()
        let broken = try model(scratch, "broken", "vae/config.json") { $0["scaling_factor"] = 1e-38 }
        let prompts = try scratch.file("prompts.txt", "three pink stars\n")
        let to = scratch.path("out")
        let sampled = try Attune.run(
            "sample", "--model", broken, "--prompts", prompts, "--to", to, "--images-per-prompt", "2", "--steps", "2")
        #expect(sampled.status == 1 && !sampled.wasKilled)
        #expect(sampled.failures.count == 3, "\(sampled.errors)")
        #expect(sampled.failures.first?.contains("\"three pink stars\", seed 42") == true)
        #expect(sampled.failures.last?.contains("2 of 2 images") == true)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: to).sorted() == ["metadata.jsonl", "sample.json"])
        let corpus = scratch.path("corpus")
        try Attune.succeed("init", "--corpus", corpus)
        let generated = try Attune.run(
            "generate", "--corpus", corpus, "--model", broken, "--prompts", prompts, "--images-per-prompt", "2",
            "--steps", "2")
        #expect(generated.status == 1 && generated.failures.last?.contains("2 of 2 images") == true)
        #expect(try Query.count(corpus) == 0)
        #expect(try Attune.run("verify", "--corpus", corpus).status == 0)
    }

    @Test func aDistilledModelIsNotSampledInSilence() throws {
        let scratch = try Scratch()
        let lcm = try model(scratch, "lcm", "scheduler/scheduler_config.json") { $0["_class_name"] = "LCMScheduler" }
        let prompts = try scratch.file("prompts.txt", "a star\n")
        for (sampler, warns) in [("ddim", true), ("lcm", false)] {
            let outcome = try Attune.run(
                "sample", "--model", lcm, "--prompts", prompts, "--to", scratch.path("out-\(sampler)"),
                "--images-per-prompt",
                "1", "--steps", "2", "--sampler", sampler)
            #expect(outcome.status == 0 && outcome.errors.contains("LCMScheduler") == warns, "\(outcome.errors)")
        }
    }
}
