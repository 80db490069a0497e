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

    @Option(help: "Which layers carry the adapter (default: attention+ff).")
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
    }

    /// The adapter to begin with, if one was given; the settings become its own.
    func start(_ model: DiffusionModel, _ settings: inout TrainingConfiguration) throws -> Adapter? {
        guard let warmStart else { return nil }
        let place = URL(fileURLWithPath: warmStart)
        let adapter = try AdapterFile.load(place) {
            (0..<model.unet.configuration.blockOutChannels.count)
                .compactMap { model.unet.configuration.layersPerBlock[$0] }
        }.trainable()
        try adapter.validate(against: model.unet.linears)
        let layers = Set(adapter.layers.keys)
        guard
            let targets = AdapterTargets.allCases.first(where: { targets in
                layers == Set(model.unet.linears.keys.filter(targets.contains))
            })
        else {
            throw Failure(
                "\(warmStart): it adapts \(layers.count) layers, not all of attention, ff or attention+ff; it can be used "
                    + "with sample and generate --adapter, not be trained on")
        }
        (settings.kind, settings.rank, settings.alpha) = (adapter.kind, adapter.rank, Double(adapter.alpha))
        (settings.targets, settings.warmStart) = (targets, try AdapterFile.digest(of: place))
        return Adapter(
            kind: adapter.kind, rank: adapter.rank, alpha: adapter.alpha, targetModules: targets.moduleNames,
            layers: adapter.layers)
    }
}

extension AdapterTargets: ExpressibleByArgument {}
extension AdapterKind: ExpressibleByArgument {}
