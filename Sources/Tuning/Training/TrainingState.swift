import CorpusStore
import Diffusion
import DiskAccess
import Foundation
import Tensors

/// A run in progress: weights, optimizer, stream and log, advanced one step at a time.
final class TrainingState {
    private let inputs: TrainingInputs
    private let ranks: TrainingRanks
    private let identity: RunIdentity
    /// Of each device, the first one's first.
    private let builders: [NetworkBuilder]
    private var references: [Network?]
    private let objective: any TrainingObjective
    private let assembler: BatchAssembler
    /// Nil on ranks that write nothing.
    private let log: RunLog?
    private let events: EventFile?
    private let store: CheckpointStore
    /// Digest of the selection by epoch, as the log has it.
    private var resolutions: [Int: Digest]
    /// Of the last epochs: a step may read two.
    private var plans: [Int: EpochPlan] = [:]
    /// The plan of the samples on which the loss is measured.
    private var fixedPlan: EpochPlan?

    /// Steps after which the loss on the fixed samples, or the validation images, are in the log.
    private var measured: Set<Int> = []
    private var shown: Set<Int> = []

    private(set) var step: Int
    private var stream: SampleStream
    private var weights: TrainedWeights
    private var optimizer: AdamW
    private var average: MovingAverage?
    private var old: OldPolicy?

    private var source: any TrainingSource { inputs.source }
    private var configuration: TrainingConfiguration { inputs.configuration }
    private var run: RunFolder { inputs.run }

    /// - Parameters:
    ///   - inputs: what the run was given.
    ///   - identity: what it is bound to.
    ///   - ranks: who shares out its microbatches.
    ///   - log: its log, open; nil on ranks that write nothing.
    ///   - events: TensorBoard's file; nil for none.
    ///   - entries: what the log holds.
    ///   - state: where it begins.
    ///   - references: what the loss holds the trained network against, on each device; nil for losses without.
    ///   - builders: make networks of trained weights, on each device.
    init(
        _ inputs: TrainingInputs, ranks: TrainingRanks, identity: RunIdentity, log: RunLog?, events: EventFile?,
        entries: [RunLogEntry],
        state: Checkpoint, references: [Network?], builders: [NetworkBuilder]
    ) {
        (self.inputs, self.ranks, self.identity, self.log, self.events) = (inputs, ranks, identity, log, events)
        (resolutions, self.references, self.builders) = (entries.resolutions, references, builders)
        for entry in entries {
            if case .evaluation(let record) = entry { measured.insert(record.step) }
            if case .validation(let record) = entry { shown.insert(record.step) }
        }
        (step, weights, optimizer) = (state.step, state.weights, state.optimizer)
        let configuration = inputs.configuration
        average = configuration.averageDecay.map { decay in
            MovingAverage(decay: decay, values: state.average ?? state.weights.parameters.map(\.value))
        }
        old = configuration.loss?.policy.map { schedule in
            OldPolicy(schedule, values: state.policy ?? state.weights.parameters.map(\.value))
        }
        objective = configuration.objective(inputs.model.scheduler)
        assembler = BatchAssembler(
            model: inputs.model, source: inputs.source, configuration: configuration, negatives: inputs.negatives)
        store = CheckpointStore(inputs.run)
        stream = SampleStream(seed: configuration.seed, position: state.position)
    }

    // MARK: A step

    /// One optimizer step; gives the loss and the gradient norm before clipping.
    func advance(report: (TrainingEvent) -> Void) throws(TrainingError) -> (loss: Double, norm: Double) {
        let entries = try stream.take(configuration.samplesPerStep) { epoch throws(TrainingError) in
            try samples(ofEpoch: epoch, report: report)
        }
        let parameters = weights.parameters.map { Tensor.parameter($0.value) }
        var policies: [Policies] = []
        for (builder, reference) in zip(builders, references) {
            policies.append(
                Policies(
                    current: try network(weights.replacing(parameters), builder), reference: reference,
                    checkpointing: configuration.gradientCheckpointing))
        }
        let (loss, total) = try ranks.accumulate(
            configuration.accumulate, shapes: parameters.map(\.shape), together: policies.count
        ) { [policies] microbatches, following throws(TrainingError) in
            let size = configuration.batch
            var batches: [TrainingBatch] = []
            for microbatch in microbatches {
                batches.append(try batch(Array(entries[microbatch * size..<(microbatch + 1) * size])) { plans[$0] })
            }
            // Read while this batch is computed.
            let next =
                following < configuration.accumulate
                ? entries[(following * size)...].prefix(size * policies.count) : []
            source.prefetch(
                assembler.ids(next) { plans[$0] }
                    + (next.isEmpty ? stream.upcoming(size, after: ranks.rank * size) : []))
            let (objective, share) = (objective, 1 / Double(configuration.accumulate))
            let found = concurrently(batches.count) { [batches] index in
                objective.lossAndGradients(batches[index], policies[index], parameters: parameters, share: share)
            }
            try checkDevice()
            return found
        }
        let norm = globalNorm(total)
        guard loss.isFinite, norm.isFinite else {
            guard inputs.model.precision == .float16 else { throw .diverged(step: step + 1) }
            let place =
                try firstNonFiniteLayer(entries, policies[0])
                ?? zip(weights.parameters, total).first { $1.firstNonFinite != nil }.map {
                    "the gradient of \($0.0.name)"
                }
            throw .overflow(step: step + 1, at: place)
        }
        let rate =
            configuration.optimizer.learningRate * (configuration.schedule?.factor(step, of: configuration.steps) ?? 1)
        let updated = optimizer.update(
            parameters.map(\.detached), gradients: total, clip: clipFactor(norm: norm, limit: configuration.clip),
            learningRate: rate)
        weights = weights.replacing(updated)
        step += 1
        average?.add(updated, step: step)
        if var old, old.follow(updated, step: step) {
            self.old = old
            for (place, builder) in builders.enumerated() {
                references[place] = try network(weights.replacing(old.values), builder)
            }
        }
        try write(
            .step(
                .init(
                    step: step, loss: loss, gradNorm: norm, lr: rate, samples: stream.position.consumed,
                    epoch: stream.position.epoch, timesteps: assembler.timesteps(entries))))
        try note([("train/loss", loss), ("train/gradient_norm", norm), ("train/learning_rate", rate)])
        return (loss, norm)
    }

    /// The first linear layer that gives a value which is not a finite number in the predictions of a step; nil where none does.
    private func firstNonFiniteLayer(
        _ entries: [StreamEntry], _ policies: Policies
    ) throws(TrainingError) -> String? {
        let network = policies.current
        let probe = network.unet.probe(network.adapters)
        let probed = Policies(current: Network(network.unet, adapters: probe.adapters), reference: policies.reference)
        for start in stride(from: 0, to: entries.count, by: configuration.batch) {
            let part = Array(entries[start..<min(start + configuration.batch, entries.count)])
            _ = objective(try batch(part) { plans[$0] }, probed).scalar
            if let path = probe.found.path { return path }
        }
        return nil
    }

    private func checkDevice() throws(TrainingError) {
        do throws(ModelError) {
            for model in [inputs.model] + inputs.replicas { try model.checkDevice() }
        } catch { throw .model(error) }
    }

    private func network(_ weights: TrainedWeights, _ builder: NetworkBuilder) throws(TrainingError) -> Network {
        do throws(ModelError) { return try builder.network(weights) } catch { throw .model(error) }
    }

    private func batch(
        _ entries: [StreamEntry], dropping: Bool = true, plan: (Int) -> EpochPlan?
    ) throws(TrainingError) -> TrainingBatch {
        do throws(TrainingSourceError) {
            return try assembler.batch(entries, dropping: dropping, plan: plan)
        } catch { throw .source(error) }
    }

    /// The samples of an epoch: as the log says if it was reached before, else resolved now and logged first.
    private func samples(ofEpoch epoch: Int, report: (TrainingEvent) -> Void) throws(TrainingError) -> [Digest] {
        let resolution = try ranks.shared(resolution(ofEpoch: epoch), source)
        try Self.check(resolution, source: source, model: identity.model)
        let plan = try plan(resolution) { if epoch == 0 { report(.note($0)) } }
        if resolutions[epoch] == nil {
            try write(
                .resolution(.init(epoch: epoch, selection: resolution.digest, count: resolution.ids.count)))
            resolutions[epoch] = resolution.digest
        }
        plans = plans.filter { $0.key >= epoch - 1 }
        plans[epoch] = plan
        report(.epoch(epoch, selection: resolution.digest, samples: resolution.ids.count))
        return plan.ids
    }

    /// Nil on ranks that are told by the first one.
    private func resolution(ofEpoch epoch: Int) throws(TrainingError) -> SelectionResolution? {
        guard ranks.writes else { return nil }
        do throws(TrainingSourceError) {
            if let digest = resolutions[epoch] {
                return try source.resolution(digest: digest)
            } else if epoch > 0, configuration.follow {
                return try source.resolveAgain(identity.selectionDigest)
            } else {
                return try source.resolution(digest: identity.selectionDigest)
            }
        } catch { throw .source(error) }
    }

    private func plan(
        _ resolution: SelectionResolution, note: (String) -> Void = { _ in }
    ) throws(TrainingError) -> EpochPlan {
        do throws(TrainingSourceError) {
            return try EpochPlan(
                resolution.ids, loss: configuration.loss ?? LossSettings(.denoise), negatives: inputs.negatives,
                source: source, note: note)
        } catch { throw .source(error) }
    }

    // MARK: Validation

    /// What the run would give if it ended now.
    private var result: TrainedWeights { average.map { weights.replacing($0.values) } ?? weights }

    /// Logs the loss on samples, noises and timesteps that stay the same for the whole run, and makes the images of the
    /// validation prompts, unless the log has them for this step.
    ///
    /// - Parameter isCancelled: asked between batches of images; those of a step that is left in the middle are made when
    ///   the run resumes.
    func validate(report: (TrainingEvent) -> Void, isCancelled: () -> Bool) throws(TrainingError) {
        guard ranks.writes else { return }
        let measures = configuration.evaluationSamples > 0 && !measured.contains(step)
        let shows = inputs.validation != nil && !shown.contains(step)
        guard measures || shows else { return }
        let network = try network(result, builders[0])
        if measures { try evaluate(network, report: report) }
        if shows, let validation = inputs.validation {
            try makeImages(validation, network, report: report, isCancelled: isCancelled)
        }
    }

    private func evaluate(_ network: Network, report: (TrainingEvent) -> Void) throws(TrainingError) {
        let plan = try planOfFixedSamples()
        let entries = (0..<configuration.evaluationSamples).map {
            StreamEntry(index: Self.evaluationStart + $0, id: plan.ids[$0 % plan.ids.count])
        }
        let policies = Policies(current: network, reference: references[0])
        var sum = 0.0
        for start in stride(from: 0, to: entries.count, by: configuration.batch) {
            let part = Array(entries[start..<min(start + configuration.batch, entries.count)])
            let loss = objective(try batch(part, dropping: false) { _ in plan }, policies)
            sum += Double(loss.values[0]) * Double(part.count)
        }
        let loss = sum / Double(entries.count)
        try checkDevice()
        try write(.evaluation(.init(step: step, loss: loss)))
        measured.insert(step)
        try note([("validation/loss", loss)])
        report(.evaluation(step: step, loss: loss))
    }

    private func planOfFixedSamples() throws(TrainingError) -> EpochPlan {
        if let fixedPlan { return fixedPlan }
        let resolution: SelectionResolution
        do throws(TrainingSourceError) {
            resolution = try source.resolution(digest: identity.selectionDigest)
        } catch { throw .source(error) }
        let plan = try plan(resolution)
        fixedPlan = plan
        return plan
    }

    /// Entries from here on are never trained on, so their draws are nobody else's.
    private static let evaluationStart = 1 << 48

    private func makeImages(
        _ validation: ValidationImages, _ network: Network, report: (TrainingEvent) -> Void,
        isCancelled: () -> Bool
    ) throws(TrainingError) {
        let folder = run.validation(step)
        let images: [ValidationImages.Made]
        do {
            guard let made = try validation.make(inputs.model, network, isCancelled: isCancelled) else { return }
            images = made
            try validation.write(images, to: folder, files: run.files)
            for (index, image) in images.enumerated() {
                try events?.add(
                    step: step, tag: "validation/\(index + 1) \(image.prompt)", png: Data(image.png),
                    width: image.width,
                    height: image.height)
            }
        } catch { throw .file("\(error)") }
        try write(.validation(.init(step: step, images: images.map(\.name))))
        shown.insert(step)
        report(.validation(step: step, folder: folder))
    }

    // MARK: What is kept

    func checkpoint(report: (TrainingEvent) -> Void) throws(TrainingError) {
        guard ranks.writes else { return }
        let checkpoint = Checkpoint(
            step: step, position: stream.position, identity: identity,
            selection: resolutions[stream.position.epoch] ?? identity.selectionDigest, weights: weights,
            optimizer: optimizer, average: average?.values, policy: old?.values)
        let digest: String
        do {
            digest = try store.save(checkpoint)
            if let count = configuration.keepCheckpoints { try store.keep(count) }
        } catch { throw .file("\(error)") }
        try write(.checkpoint(.init(step: step, checkpoint: digest)))
        report(.checkpoint(step: step, digest: digest))
    }

    /// Writes the finished adapter or model and closes the log; nil on ranks that write nothing.
    func finish() throws(TrainingError) -> (place: URL, digest: String)? {
        guard ranks.writes else { return nil }
        let made: (place: URL, digest: String)
        do {
            switch (result, weights) {
            case (.adapter(let adapter), .adapter(let last)):
                made = (run.adapter, try AdapterFile.write(adapter, to: run.adapter, files: run.files))
                if average != nil {
                    try AdapterFile.write(last, to: run.raw.appending(path: AdapterFile.name), files: run.files)
                }
            case (.unet(let all), _):
                let base = inputs.model.folder
                made = (
                    run.model, try ModelFolder.write(all, base: base, variant: inputs.variant, to: run.model)
                )
                if average != nil, case .unet(let last) = weights {
                    let file = URL(fileURLWithPath: UNetTensors.file).lastPathComponent
                    let data = SafetensorsWriter.data(last.tensors, metadata: ["format": "pt"])
                    try run.files.write(data, to: run.raw.appending(path: file))
                }
            default: preconditionFailure("a result is of the kind of its weights")
            }
        } catch let error as AdapterError {
            throw .adapter(error)
        } catch { throw .file("\(error)") }
        let isModel = configuration.targets == .all
        try write(
            .finished(.init(step: step, adapter: isModel ? nil : made.digest, model: isModel ? made.digest : nil)))
        return made
    }

    private func write(_ entry: RunLogEntry) throws(TrainingError) {
        do throws(RunLogError) { try log?.append(entry) } catch { throw .log(error) }
    }

    private func note(_ scalars: [(tag: String, value: Double)]) throws(TrainingError) {
        do throws(DiskError) {
            try events?.add(step: step, scalars)
        } catch { throw .file(error.description) }
    }
}
