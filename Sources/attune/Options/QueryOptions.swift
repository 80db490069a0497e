import ArgumentParser
import Corpus

/// What samples are grouped by when the best of each group are kept.
enum Grouping: String, ExpressibleByArgument, CaseIterable {
    case prompt
}

/// `--by`, `--top`, `--per`, shared by query and select.
struct RankingOptions: ParsableArguments {
    @Option(help: "Keep so many: in all, or of each prompt with --per prompt.")
    var top: Int?

    @Option(help: "Keep --top of each.")
    var per: Grouping?

    func validate() throws {
        if let top { try requirePositive(top, "--top") }
        if per != nil, top == nil { throw ValidationError("--per needs --top") }
    }
}
