package import Diffusion
package import Foundation
package import Tuning

/// Training that continues from an adapter that is there.
package enum WarmStart {
    /// The adapter of a file, of attune, diffusers, PEFT or kohya's scripts, as one that can be trained.
    ///
    /// - Parameters:
    ///   - place: the adapter's file.
    ///   - settings: kind, rank, alpha and targets become the adapter's own, and its digest is noted.
    /// - Throws: ``AdapterError`` and ``ModelError``; ``Failure`` for one that adapts only some layers of its targets.
    package static func adapter(
        at place: URL, for model: DiffusionModel, _ settings: inout TrainingConfiguration
    ) throws -> Adapter {
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
                "\(place.relativePath): it adapts \(layers.count) layers, not all of attention, ff or attention+ff; it can "
                    + "be used with sample and generate --adapter, not be trained on")
        }
        (settings.kind, settings.rank, settings.alpha) = (adapter.kind, adapter.rank, Double(adapter.alpha))
        (settings.targets, settings.warmStart) = (targets, try AdapterFile.digest(of: place))
        return Adapter(
            kind: adapter.kind, rank: adapter.rank, alpha: adapter.alpha, targetModules: targets.moduleNames,
            layers: adapter.layers)
    }
}
