import ArgumentParser
import CorpusStore

/// What samples are grouped by when the best of each group are kept.
enum Grouping: String, ExpressibleByArgument, CaseIterable {
    case prompt
    /// One group: the whole corpus.
    case corpus
}

/// What samples are ranked by.
enum Ranking: ExpressibleByArgument {
    case column(String)
    /// The order of ids, which are digests: as good as drawn by lot, and the same for everyone.
    case random

    init?(argument: String) {
        if argument == "random" {
            self = .random
        } else if CatalogueRow.columns.contains(argument) || Annotations.problem(withStoredName: argument) == nil {
            // A scorer's name; whether there is such a scorer is for the corpus to say.
            self = .column(argument)
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { CatalogueRow.columns + ["random"] }

    var defaultValueDescription: String { column ?? "random" }

    /// The catalogue's column, nil for the order of ids.
    var column: String? {
        if case .column(let name) = self { name } else { nil }
    }
}
