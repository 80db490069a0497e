import ArgumentParser
import Cluster
import Foundation
import Workflows

/// `--part`: one worker's part of work that several share.
struct PartOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The i-th of n parts of the work, counted from 1; auto takes them from Slurm, Kubernetes or MPI.",
            valueName: "i/n|auto"))
    var part = PartChoice.given(.all)

    @Flag(help: "Work beside other parts that were given another model, prompts, settings or version of attune.")
    var allowMixed = false

    /// Whether the work is shared out.
    var isGiven: Bool {
        if case .given(let part) = part { part.count > 1 } else { true }
    }

    /// For a workflow to ask its other workers.
    var array: ArrayCheck { ArrayCheck(version: attuneVersion, isBesideOthers: allowMixed) }

    /// The part; one that was found in the environment is said on standard error.
    func resolved() throws -> Part {
        switch part {
        case .given(let part): return part
        case .auto:
            do throws(WorkerError) {
                let found = try Worker.found(in: ProcessInfo.processInfo.environment)
                standardError("\(found)")
                return Part(index: found.worker.index + 1, count: found.worker.count)
            } catch { throw UsageError(error.description) }
        }
    }
}

/// What `--part` may be.
enum PartChoice: ExpressibleByArgument {
    case given(Part)
    case auto

    init?(argument: String) {
        if argument == "auto" {
            self = .auto
        } else if let part = Part(argument) {
            self = .given(part)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String { "1/1" }
}
