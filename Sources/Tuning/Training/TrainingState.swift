import Corpus
import Diffusion
import Disk
import Foundation
import Tensor

/// A run in progress: adapter, optimizer, stream and log, advanced one step at a time.
final class TrainingState {
    private let source: any TrainingSource
    private let configuration: TrainingConfiguration
    private let run: RunFolder
    private let identity: RunIdentity
    private let linears: [String: Linear]
    private let weightSquares: [String: Tensor]
    private let objective: DenoisingObjective
    private let assembler: BatchAssembler
    private let log: RunLog
    private let store: CheckpointStore
    /// Digest of the selection by epoch, as the log has it.
    private var resolutions: [Int: String]

    private(set) var step: Int
    private var stream: SampleStream
    private var adapter: Adapter
    private var optimizer: AdamW

    private init(
        model: DiffusionModel, source: any TrainingSource, configuration: TrainingConfiguration, run: RunFolder,
        identity: RunIdentity, log: RunLog, resolutions: [Int: String], step: Int, position: StreamPosition,
        adapter: Adapter, optimizer: AdamW
    ) {
        self.source = source
        self.configuration = configuration
        self.run = run
        self.identity = identity
        self.log = log
        self.resolutions = resolutions
        self.step = step
        self.adapter = adapter
        self.optimizer = optimizer
        linears = model.unet.linears
        weightSquares = adapter.weightSquares(linears)
        objective = DenoisingObjective(unet: model.unet, scheduler: model.scheduler)
        assembler = BatchAssembler(model: model, source: source, seed: configuration.seed)
        store = CheckpointStore(run)
        stream = SampleStream(seed: configuration.seed, position: position)
    }

    // MARK: A step

    /// One optimizer step; gives the loss and the gradient norm before clipping.
    func advance(report: (TrainingEvent) -> Void) throws(TrainingError) -> (loss: Double, norm: Double) {
        let entries = try stream.take(configuration.samplesPerStep) { epoch throws(TrainingError) in
            try samples(ofEpoch: epoch, report: report)
        }
        let parameters = adapter.parameters.map { Tensor.parameter($0.value) }
        let adapters = adapter.replacing(parameters).bound(to: linears, weightSquares: weightSquares)
        var loss = 0.0
        var total: [Tensor] = []
        var timesteps: [Int] = []
        for start in stride(from: 0, to: entries.count, by: configuration.batch) {
            let batch = try batch(Array(entries[start..<start + configuration.batch]))
            timesteps += batch.timesteps
            // Read while this batch is computed.
            let following = entries[(start + configuration.batch)...].map(\.id) + stream.upcoming(configuration.batch)
            source.prefetch(Array(following.prefix(configuration.batch)))
            let found = objective.lossAndGradients(
                batch, adapters: adapters, parameters: parameters, checkpointing: configuration.gradientCheckpointing,
                share: 1 / Double(configuration.accumulate))
            loss += found.loss
            total = total.isEmpty ? found.gradients : zip(total, found.gradients).map { $0 + $1 }
        }
        let norm = globalNorm(total)
        guard loss.isFinite, norm.isFinite else { throw .diverged(step: step + 1) }
        let updated = optimizer.update(
            parameters.map(\.detached), gradients: total, clip: clipFactor(norm: norm, limit: configuration.clip))
        adapter = adapter.replacing(updated)
        step += 1
        try write(
            .step(
                .init(
                    step: step, loss: loss, gradNorm: norm, lr: configuration.optimizer.learningRate,
                    samples: stream.position.consumed, epoch: stream.position.epoch, timesteps: timesteps)))
        return (loss, norm)
    }

    /// Logs the loss on samples, noises and timesteps that stay the same for the whole run.
    func evaluate(report: (TrainingEvent) -> Void) throws(TrainingError) {
        guard configuration.evaluationSamples > 0 else { return }
        let ids: [String]
        do {
            ids = try source.resolution(digest: identity.selectionDigest).ids
        } catch {
            throw .source(error)
        }
        let entries = (0..<configuration.evaluationSamples).map {
            StreamEntry(index: Self.evaluationStart + $0, id: ids[$0 % ids.count])
        }
        let adapters = adapter.bound(to: linears, weightSquares: weightSquares)
        var sum = 0.0
        for start in stride(from: 0, to: entries.count, by: configuration.batch) {
            let part = Array(entries[start..<min(start + configuration.batch, entries.count)])
            let loss = objective(try batch(part), adapters: adapters, checkpointing: false)
            sum += Double(loss.values[0]) * Double(part.count)
        }
        let loss = sum / Double(entries.count)
        try write(.evaluation(.init(step: step, loss: loss)))
        report(.evaluation(step: step, loss: loss))
    }

    /// Entries from here on are never trained on, so their draws are nobody else's.
    private static let evaluationStart = 1 << 48

    private func batch(_ entries: [StreamEntry]) throws(TrainingError) -> TrainingBatch {
        do {
            return try assembler.batch(entries)
        } catch {
            throw .source(error)
        }
    }

    /// The samples of an epoch: as the log says if it was reached before, else resolved now and logged first.
    private func samples(ofEpoch epoch: Int, report: (TrainingEvent) -> Void) throws(TrainingError) -> [String] {
        let resolution: SelectionResolution
        do {
            if let digest = resolutions[epoch] {
                resolution = try source.resolution(digest: digest)
            } else if epoch > 0, configuration.follow {
                resolution = try source.resolveAgain(identity.selectionDigest)
            } else {
                resolution = try source.resolution(digest: identity.selectionDigest)
            }
        } catch {
            throw .source(error)
        }
        try Self.check(resolution, source: source, model: identity.model)
        if resolutions[epoch] == nil {
            try write(
                .resolution(.init(epoch: epoch, selection: resolution.digest, count: resolution.ids.count)))
            resolutions[epoch] = resolution.digest
        }
        report(.epoch(epoch, selection: resolution.digest, samples: resolution.ids.count))
        return resolution.ids
    }

    // MARK: What is kept

    func checkpoint(report: (TrainingEvent) -> Void) throws(TrainingError) {
        let checkpoint = Checkpoint(
            step: step, position: stream.position, identity: identity,
            selection: resolutions[stream.position.epoch] ?? identity.selectionDigest, adapter: adapter,
            optimizer: optimizer)
        let digest: String
        do {
            digest = try store.save(checkpoint)
            if let count = configuration.keepCheckpoints { try store.keep(count) }
        } catch {
            throw .file("\(error)")
        }
        try write(.checkpoint(.init(step: step, checkpoint: digest)))
        report(.checkpoint(step: step, digest: digest))
    }

    /// Writes the finished adapter and closes the log.
    func finish() throws(TrainingError) -> (file: URL, digest: String) {
        let digest: String
        do {
            digest = try AdapterFile.write(adapter, to: run.adapter, files: run.files)
        } catch {
            throw .adapter(error)
        }
        try write(.finished(.init(step: step, adapter: digest)))
        return (run.adapter, digest)
    }

    private func write(_ entry: RunLogEntry) throws(TrainingError) {
        do {
            try log.append(entry)
        } catch {
            throw .log(error)
        }
    }
}

// MARK: Starting and resuming

extension TrainingState {
    /// Opens a run: new, or as its newest intact checkpoint left it.
    static func open(
        model: DiffusionModel, source: any TrainingSource, configuration: TrainingConfiguration, run: RunFolder,
        start: Adapter?, computer: RunComputer, allowsOtherComputer: Bool, report: (TrainingEvent) -> Void
    ) throws(TrainingError) -> (state: TrainingState, lock: DiskLock) {
        if let problem = configuration.problem { throw .settings(problem) }
        if let problem = RunFolder.problem(withName: run.name) { throw .runName(problem) }
        let fresh = try initialAdapter(configuration, model: model, start: start)
        let selection = try selection(
            of: recordedIdentity(readLog(run), run), source, follow: configuration.follow, report: report)
        // Checked before anything of the run is written.
        try check(selection, source: source, model: model.digest)
        let lock = try lock(run)
        let entries = try readLog(run)
        let recorded = try recordedIdentity(entries, run)
        let identity = try identity(
            RunIdentity(
                model: model.digest, selection: source.selectionName,
                selectionDigest: selection.digest, configuration: configuration,
                weights: try weights(of: selection, source), computer: computer),
            recorded: recorded, run: run)
        try checkComputer(
            computer, before: entries.computer ?? recorded?.computer, allowsOther: allowsOtherComputer, run: run,
            report: report)

        let checkpoint = try latest(run, template: fresh, report: report)
        let step = checkpoint?.checkpoint.step ?? 0
        guard step <= configuration.steps else {
            throw .beyond(run: run.name, step: step, steps: configuration.steps)
        }
        var kept = entries.rewound(to: step)
        if entries.identity == nil { kept.insert(.run(identity), at: 0) }
        if entries.count > 1 {
            kept.append(.resumed(.init(step: step, checkpoint: checkpoint?.digest, computer: computer)))
        }
        let log: RunLog
        do {
            log = try RunLog(run.log, holding: kept, files: run.files)
        } catch {
            throw .log(error)
        }
        let state = TrainingState(
            model: model, source: source, configuration: configuration, run: run, identity: identity, log: log,
            resolutions: kept.resolutions, step: step,
            position: checkpoint?.checkpoint.position ?? StreamPosition(),
            adapter: checkpoint?.checkpoint.adapter ?? fresh,
            optimizer: checkpoint?.checkpoint.optimizer
                ?? AdamW(settings: configuration.optimizer, shapes: fresh.parameters.map(\.value.shape)))
        return (state, lock)
    }

    private static func initialAdapter(
        _ configuration: TrainingConfiguration, model: DiffusionModel, start: Adapter?
    ) throws(TrainingError) -> Adapter {
        do {
            if let start {
                try start.validate(against: model.unet.linears)
                return start
            }
            return try Adapter(
                initializing: configuration.kind, rank: configuration.rank, alpha: Float(configuration.alpha),
                targets: configuration.targets, for: model.unet.linears, seed: configuration.seed)
        } catch {
            throw .adapter(error)
        }
    }

    /// The right to write to a run, held by one process at a time.
    private static func lock(_ run: RunFolder) throws(TrainingError) -> DiskLock {
        let lock: DiskLock?
        do throws(DiskError) {
            try Disk.makeFolder(run.root.path)
            try Disk.makeFolder(run.files.temporaryFolder.path)
            lock = try DiskLock(ifFree: run.lock.path)
        } catch {
            throw .file("\(error)")
        }
        guard let lock else { throw .busy(run: run.name) }
        return lock
    }

    private static func readLog(_ run: RunFolder) throws(TrainingError) -> [RunLogEntry] {
        do {
            return try RunLog.read(run.log)
        } catch {
            throw .log(error)
        }
    }

    /// The selection that the run begins with: the one that its name stands for, or, when a run that follows its policy
    /// is resumed, the one that it began with.
    private static func selection(
        of recorded: RunIdentity?, _ source: any TrainingSource, follow: Bool, report: (TrainingEvent) -> Void
    ) throws(TrainingError) -> SelectionResolution {
        do {
            guard let recorded, follow, recorded.configuration.follow, recorded.selection == source.selectionName else {
                return try source.initialResolution()
            }
            if try !source.keepsPolicy(of: recorded.selectionDigest) {
                report(
                    .note(
                        "selection '\(source.selectionName)' was selected again with another policy; the run follows the one "
                            + "that it began with"))
            }
            return try source.resolution(digest: recorded.selectionDigest)
        } catch {
            throw .source(error)
        }
    }

    /// Other vector instructions or BLAS kernels give other last bits.
    private static func checkComputer(
        _ computer: RunComputer, before: RunComputer?, allowsOther: Bool, run: RunFolder,
        report: (TrainingEvent) -> Void
    ) throws(TrainingError) {
        guard let before, !computer.computesLike(before) else { return }
        guard allowsOther else { throw .otherComputer(run: run.name, now: computer, before: before) }
        report(.note("resumed with \(computer), after \(before): the last bits of its adapter will differ"))
    }

    private static func weights(
        of resolution: SelectionResolution, _ source: any TrainingSource
    ) throws(TrainingError) -> String? {
        do {
            return try source.weightsIdentity(resolution)
        } catch {
            throw .source(error)
        }
    }

    private static func check(
        _ resolution: SelectionResolution, source: any TrainingSource, model: String
    ) throws(TrainingError) {
        guard !resolution.ids.isEmpty else { throw .emptySelection(source.selectionName) }
        do {
            try source.check(resolution, model: model)
        } catch {
            throw .source(error)
        }
    }

    /// What the run is bound to by its log or, if that was lost, by its newest checkpoint.
    private static func recordedIdentity(_ log: [RunLogEntry], _ run: RunFolder) throws(TrainingError) -> RunIdentity? {
        if let identity = log.identity { return identity }
        do {
            return try CheckpointStore(run).identity()
        } catch {
            throw .file("\(error)")
        }
    }

    /// The identity that the run goes by: the recorded one if there is one and nothing that matters differs.
    private static func identity(
        _ asked: RunIdentity, recorded: RunIdentity?, run: RunFolder
    ) throws(TrainingError) -> RunIdentity {
        guard let recorded else { return asked }
        let differences = asked.differences(from: recorded)
        guard differences.isEmpty else { throw .mismatch(run: run.name, differences) }
        return recorded
    }

    private static func latest(
        _ run: RunFolder, template: Adapter, report: (TrainingEvent) -> Void
    ) throws(TrainingError) -> (checkpoint: Checkpoint, digest: String)? {
        do {
            let (found, notes) = try CheckpointStore(run).latest(template: template)
            for note in notes { report(.note(note)) }
            return found
        } catch {
            throw .file("\(error)")
        }
    }
}
