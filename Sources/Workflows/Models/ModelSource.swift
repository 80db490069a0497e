package import Diffusion
package import Foundation
package import Tensors
import Tuning

/// Which model makes images, and which adapter is folded into it.
package struct ModelSource: Sendable {
    /// In the diffusers layout.
    package let folder: URL
    /// Which copy of the weights, as `fp16`; nil for the plain one, or the only one there.
    package var variant: String?
    /// A file or folder as attune, diffusers, PEFT or kohya's scripts save it.
    package var adapter: URL?
    /// Keeps 16-bit weights in 16 bits.
    package var lowMemory = false
    /// What products are computed in.
    package var precision = Precision.float32
    /// Where networks compute.
    package var device = DeviceChoice.cpu
    /// Fields of the configuration files that are left out.
    package var ignoredFields: [String] = []

    package init(folder: URL) { self.folder = folder }

    /// The model with the adapter folded in, and the digest of the adapter's file.
    ///
    /// - Parameter use: what its noise schedule is for.
    /// - Throws: ``ModelError`` and errors of the adapter's file, also for an adapter with layers that the model lacks.
    package func load(for use: SchedulerUse) throws -> (model: DiffusionModel, adapter: String?) {
        let loaded = try loadAll(for: use)
        guard loaded.models.count == 1 else {
            throw UsageError("--device \(device): only generate and train share work out to several devices; name one")
        }
        return (loaded.models[0], loaded.adapter)
    }

    /// The same model on every device that was asked for; the first one is always there.
    package func loadAll(for use: SchedulerUse) throws -> (models: [DiffusionModel], adapter: String?) {
        let devices = try device.open(for: precision)
        let first = try load(for: use, on: devices[0])
        var models = [first.model]
        for device in devices.dropFirst() {
            models.append(try load(for: use, on: device, digest: first.model.digest).model)
        }
        return (models, first.adapter)
    }

    private func load(
        for use: SchedulerUse, on device: Device, digest: String? = nil
    ) throws -> (model: DiffusionModel, adapter: String?) {
        // They note what they met: each load has its own.
        let ignored = IgnoredFields(ignoredFields)
        guard let adapter else {
            let loaded = try DiffusionModel.load(
                from: folder, for: use, variant: variant, lowMemory: lowMemory, precision: precision, device: device,
                digest: digest, ignoring: ignored)
            return (loaded, nil)
        }
        let folding = AdapterFolding(try AdapterFile.load(adapter) { try UNetConfiguration.layers(of: folder) })
        let loaded = try DiffusionModel.load(
            from: folder, for: use, variant: variant, adapter: folding, lowMemory: lowMemory, precision: precision,
            device: device, digest: digest, ignoring: ignored)
        // A layer that the model lacks would be left out silently.
        try folding.checkAllMet()
        return (loaded, try AdapterFile.digest(of: adapter))
    }
}

extension DiffusionModel {
    /// - Throws: ``UsageError`` for more denoising steps than the model's schedule has.
    func requireSteps(_ steps: Int) throws(UsageError) {
        guard steps <= scheduler.trainTimesteps else {
            throw UsageError("--steps is \(steps); the model's schedule has \(scheduler.trainTimesteps) timesteps")
        }
    }

    /// - Throws: ``Failure`` for a schedule that a manifest cannot tell, so that nobody could turn the trace into a score
    ///   again.
    func requireDescribableSchedule() throws(Failure) {
        guard scheduler.trainedBetas != nil else { return }
        throw Failure(
            "\(folder.path): trained_betas of its scheduler cannot be recorded with a trace; sample takes the model, "
                + "or leave them out with --ignore-config trained_betas")
    }
}
