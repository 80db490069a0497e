package import Cluster
package import Diffusion

/// Why a run cannot start or continue.
package enum TrainingError: Error, CustomStringConvertible, Sendable {
    case settings(String)
    case runName(String)
    case busy(run: String)
    /// The run exists and was made with something else.
    case mismatch(run: String, [RunIdentity.Difference])
    /// The run made more steps than it is asked for.
    case beyond(run: String, step: Int, steps: Int)
    case emptySelection(String)
    /// The run would be resumed with arithmetic of other last bits.
    case otherComputer(run: String, now: RunComputer, before: RunComputer)
    case source(TrainingSourceError)
    case adapter(AdapterError)
    case model(ModelError)
    case log(RunLogError)
    /// The loss or the gradient is not a number any more.
    case diverged(step: Int)
    /// The same in float16, whose numbers end early: in a layer, or in the gradient of a parameter.
    case overflow(step: Int, at: String?)
    case file(String)
    /// Ranks that train together cannot continue.
    case ranks(RankError)

    package var description: String {
        switch self {
        case .settings(let problem): problem
        case .runName(let problem): problem
        case .busy(let run): "run '\(run)' is being trained by another process; wait for it or choose another name"
        case .mismatch(let run, let differences):
            "run '\(run)' was started with other settings: "
                + differences.map { "\($0.field) was \($0.there), now \($0.here)" }.joined(separator: ", ")
                + "; give the same settings to resume it, or another run name"
        case .beyond(let run, let step, let steps):
            "run '\(run)' has already made \(step) steps, more than the \(steps) asked for; ask for at least \(step)"
        case .emptySelection(let selection):
            "selection \(selection) holds no samples; select some before training"
        case .otherComputer(let run, let now, let before):
            "run '\(run)' was trained with \(before), here it is \(now), whose last bits differ; resume it where it was "
                + "begun, or give --allow-other-cpu"
        case .source(let error): error.description
        case .adapter(let error): error.description
        case .model(let error): error.description
        case .log(let error): error.description
        case .diverged(let step):
            "the loss is not finite at step \(step); lower the learning rate and start a new run"
        case .overflow(let step, let place):
            "the loss or its gradient is not finite at step \(step) with --precision float16"
                + (place.map { " (first seen in \($0))" } ?? "")
                + "; start a new run with --precision bfloat16 or float32, or with a lower learning rate"
        case .file(let reason): reason
        case .ranks(let error): error.description
        }
    }
}
