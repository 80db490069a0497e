import ArgumentParser
import Diffusion
import Foundation
import Tuning
import Workflows

/// What a run measures and shows of itself as it proceeds.
struct ValidationOptions: ParsableArguments {
    @Option(help: "Samples whose loss is measured at each checkpoint, always with the same noise (0: none).")
    var evaluate = 0
    @Option(
        help: ArgumentHelp(
            "Make an image of each of these prompts at each checkpoint, into the run's folder.", valueName: "file"),
        completion: .file())
    var validatePrompts: String?
    @Option(
        help: ArgumentHelp("Measure and make images every N steps instead of at checkpoints.", valueName: "steps")
    )
    var validateEvery: Int?
    @Option(help: ArgumentHelp("Guidance scale of validation images.", valueName: "scale"))
    var validateGuidance = 3.0
    @Option(help: ArgumentHelp("Denoising steps of validation images.", valueName: "n"))
    var validateSteps = 25
    @Flag(name: .customLong("tensorboard"), help: "Write event files for TensorBoard into the run's folder.")
    var writesEvents = false

    func apply(to settings: inout TrainingConfiguration) {
        settings.evaluationSamples = evaluate
        settings.validateEvery = validateEvery
    }

    func validate() throws {
        try requirePositive(validateSteps, "--validate-steps", 1...10_000)
        try requireGuidance(validateGuidance)
    }

    /// The images to make; nil for none.
    func images() throws -> ValidationImages? {
        guard let validatePrompts else { return nil }
        var images = ValidationImages(prompts: try PromptFile(URL(fileURLWithPath: validatePrompts)).prompts)
        (images.guidance, images.steps) = (Float(validateGuidance), validateSteps)
        return images
    }
}
