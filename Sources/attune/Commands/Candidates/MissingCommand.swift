import ArgumentParser
import Workflows

struct MissingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "missing", abstract: "List what generate still has to make for a prompt file.",
        discussion: """
            Takes the options that generate was given. Exit status 0: nothing is missing; 75: something is. Each line is a \
            prompt, a tab and how many of its images the corpus lacks, which generate takes as a prompt file: a second \
            array over it covers exactly the holes. Images of other models, settings or versions do not count.
            """)

    @OptionGroup var store: CorpusOptions

    @OptionGroup var candidates: CandidateOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = try store.open(deciding: true)
        let missing = try candidates.job.missing(in: corpus)
        if output.json {
            print(try jsonText(missing))
        } else {
            for prompt in missing.prompts { print("\(prompt.prompt)\t\(prompt.missing) missing") }
        }
        for note in missing.notes { standardError("note: \(note)") }
        guard missing.missing > 0 else {
            if !output.json { standardError("complete: all \(missing.total) images are there") }
            return
        }
        if !output.json {
            let prompts = missing.prompts.count
            standardError("\(missing.missing) of \(missing.total) images are missing, of \(prompts) prompts")
        }
        throw ExitStatus.again.code
    }
}
