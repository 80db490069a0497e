import ArgumentParser
import Diffusion
import Foundation
import Tuning
import Workflows

/// The adapter that is trained: a fresh one, or one that continues from where another has come.
struct AdapterOptions: ParsableArguments {
    @Option(help: "Rank of the adapter (default: 32).")
    var rank: Int?

    @Option(help: "The adapter is scaled by alpha / rank (default: 32).")
    var alpha: Double?

    @Option(
        help:
            "Which layers carry the adapter, or all: no adapter, every weight of the UNet is trained (default: attention+ff)."
    )
    var targets: AdapterTargets?

    @Option(help: "The kind of adapter (default: dora).")
    var adapterKind: AdapterKind?

    @Option(
        help: ArgumentHelp(
            "Start from this adapter, of attune, diffusers, PEFT or kohya's scripts; overrides --rank, --alpha, --targets, --adapter-kind.",
            valueName: "file"),
        completion: .file(extensions: ["safetensors"]))
    var warmStart: String?

    /// Takes over what was given.
    func apply(to settings: inout TrainingConfiguration) {
        if let rank { settings.rank = rank }
        if let alpha { settings.alpha = alpha }
        if let targets { settings.targets = targets }
        if let adapterKind { settings.kind = adapterKind }
    }

    func validate() throws {
        if warmStart != nil, rank != nil || alpha != nil || targets != nil || adapterKind != nil {
            throw ValidationError(
                "--warm-start continues an adapter as it is: --rank, --alpha, --targets and --adapter-kind do not apply"
            )
        }
        if targets == .all, rank != nil || alpha != nil || adapterKind != nil {
            throw ValidationError("--targets all trains no adapter: --rank, --alpha and --adapter-kind do not apply")
        }
    }
}

extension AdapterTargets: ExpressibleByArgument {}
extension AdapterKind: ExpressibleByArgument {}
