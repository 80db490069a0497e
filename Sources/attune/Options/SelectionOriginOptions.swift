import ArgumentParser
import CorpusStore
import Workflows

/// Where a selection comes from that no question to the catalogue makes: a file, or other selections.
struct SelectionOriginOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A selection's document, of any corpus, or a list of sample ids, one per line (-: standard input).",
            valueName: "file"),
        completion: .file())
    var from: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The samples of any of these selections.", valueName: "selection"))
    var union: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The samples that all of these selections have.", valueName: "selection"))
    var intersect: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("The samples of the first selection that none of the others has.", valueName: "selection"))
    var subtract: [String] = []

    private var operations: [(option: String, operation: SelectionPolicy.SetOperation, operands: [String])] {
        [("--union", .union, union), ("--intersect", .intersection, intersect), ("--subtract", .difference, subtract)]
            .filter { !$0.operands.isEmpty }
    }

    /// The option that was given, if any.
    var name: String? {
        get throws {
            let given = operations.map(\.option) + (from == nil ? [] : ["--from"])
            guard given.count <= 1 else {
                throw ValidationError("\(given.joined(separator: " and ")) exclude each other")
            }
            if let short = operations.first(where: { $0.operands.count < 2 }) {
                throw ValidationError("\(short.option) needs two selections or more")
            }
            return given.first
        }
    }

    /// For a workflow; nil where none of the options was given.
    var request: SelectionRequest? {
        if let from { return .file(from) }
        return operations.first.map { .combination($0.operation, $0.operands) }
    }
}
