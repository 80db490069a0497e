import ArgumentParser
import Foundation
import Workflows

/// `--negatives`: `rules`, `rules:SEED`, `corpus`, or a file.
struct NearMissArgument: ExpressibleByArgument {
    let source: NearMissSource

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1).map(String.init)
        if argument == "rules" {
            source = .rules(seed: 0)
        } else if parts.count == 2, parts[0] == "rules", let seed = Int(parts[1]) {
            source = .rules(seed: seed)
        } else if argument == "corpus" {
            source = .corpus
        } else if !argument.isEmpty {
            source = .file(URL(fileURLWithPath: argument))
        } else {
            return nil
        }
    }
}
