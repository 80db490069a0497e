package import CorpusStore
package import Foundation

/// What a run reports as it proceeds.
package enum TrainingEvent: Sendable {
    /// Work begins after `step` steps; above zero when a run is resumed.
    case started(step: Int, of: Int)
    /// Something that a user should know and that does not stop the run.
    case note(String)
    /// An epoch begins on this selection.
    case epoch(Int, selection: Digest, samples: Int)
    case step(StepReport)
    /// The loss on the run's fixed samples, noises and timesteps.
    case evaluation(step: Int, loss: Double)
    /// Images of the validation prompts lie in this folder.
    case validation(step: Int, folder: URL)
    case checkpoint(step: Int, digest: String)
}

/// One optimizer step as it was done.
package struct StepReport: Sendable {
    package let step: Int
    package let steps: Int
    package let loss: Double
    /// Global gradient norm before clipping.
    package let gradientNorm: Double
    /// Since this process began its first step.
    package let stepsPerSecond: Double
}

/// How a run ended.
package struct TrainingOutcome: Sendable {
    /// Total optimizer steps made.
    package let step: Int
    /// The adapter file, or the model folder where all weights were trained, and its digest; nil when the run was canceled
    /// before its last step.
    package let made: (place: URL, digest: String)?

    package var isFinished: Bool { made != nil }
}
