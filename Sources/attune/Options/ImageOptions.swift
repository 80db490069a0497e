import ArgumentParser
import Workflows

/// How images are made, beside prompt, seed, steps, guidance and sampler.
struct ImageOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What guidance leads away from, in place of the empty prompt; needs --guidance above 1.", valueName: "text")
    )
    var negativePrompt: String?

    @Option(
        help: ArgumentHelp(
            "Width of the images, a multiple of 8 (default: the model's own).", valueName: "pixels"))
    var width: Int?

    @Option(
        help: ArgumentHelp(
            "Height of the images, a multiple of 8 (default: the model's own).", valueName: "pixels"))
    var height: Int?

    @Option(
        help: ArgumentHelp(
            "Leave out the last n layers of the text encoder, counted as diffusers does: 1 here is \"clip skip 2\" elsewhere.",
            valueName: "n"))
    var clipSkip: Int?

    /// Puts what was given into the settings.
    func apply(to settings: inout DenoisingSettings) {
        (settings.negativePrompt, settings.clipSkip) = (negativePrompt, clipSkip)
        (settings.width, settings.height) = (width, height)
    }

    func validate() throws {
        for (side, option) in [(width, "--width"), (height, "--height")] {
            if let side, !(8...16384).contains(side) || side % 8 != 0 {
                throw ValidationError("\(option) is \(side); it must be a multiple of 8 from 8 to 16384")
            }
        }
        if let clipSkip { try requirePositive(clipSkip, "--clip-skip", Bounds.clipSkip) }
    }
}

/// Guidance, steps and sampler belong together with the other image options: some combinations mean nothing.
func requireSense(guidance: Double, _ image: ImageOptions) throws {
    try requireGuidance(guidance)
    if image.negativePrompt != nil, guidance <= 1 {
        throw ValidationError(
            "--negative-prompt does nothing at --guidance \(guidance): guidance begins above 1; raise it, or leave the "
                + "negative prompt out")
    }
}
