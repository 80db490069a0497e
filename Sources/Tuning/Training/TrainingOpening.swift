import CorpusStore
import Diffusion
import DiskAccess
import Foundation
import Tensors

// MARK: Starting and resuming

extension TrainingState {
    /// Opens a run: new, or as its newest intact checkpoint left it. Of several ranks the first does, and holds the lock; the
    /// others begin where it does.
    static func open(
        _ inputs: TrainingInputs, ranks: TrainingRanks, report: (TrainingEvent) -> Void
    ) throws(TrainingError) -> (state: TrainingState, lock: DiskLock?) {
        guard ranks.writes else { return (try follow(inputs, ranks), nil) }
        let (state, start, lock) = try lead(inputs, ranks, report: report)
        try ranks.begin(start)
        return (state, lock)
    }

    private static func lead(
        _ inputs: TrainingInputs, _ ranks: TrainingRanks, report: (TrainingEvent) -> Void
    ) throws(TrainingError) -> (state: TrainingState, start: TrainingRanks.Start, lock: DiskLock) {
        let (model, source, configuration, run) = (inputs.model, inputs.source, inputs.configuration, inputs.run)
        if let problem = configuration.problem ?? problem(inputs) { throw .settings(problem) }
        if let problem = RunFolder.problem(withName: run.name) { throw .runName(problem) }
        let fresh = try initialWeights(inputs)
        let selection = try selection(
            of: recordedIdentity(readLog(run), run), source, follow: configuration.follow, report: report)
        // Checked before anything of the run is written.
        try check(selection, source: source, model: model.digest)
        let asked = RunIdentity(
            model: model.digest, selection: source.selectionName, selectionDigest: selection.digest,
            configuration: configuration, weights: try weights(of: selection, source), computer: inputs.computer)
        // A run that would learn nothing is refused before it exists, and one of other settings before that is looked at.
        _ = try identity(asked, recorded: recordedIdentity(readLog(run), run), run: run)
        try checkPlan(selection, inputs)
        let lock = try lock(run)
        let entries = try readLog(run)
        let recorded = try recordedIdentity(entries, run)
        let identity = try identity(asked, recorded: recorded, run: run)
        try checkComputer(
            inputs.computer, before: entries.computer ?? recorded?.computer, allowsOther: inputs.allowsOtherComputer,
            run: run, report: report)

        let checkpoint = try latest(run, template: fresh, report: report)
        let step = checkpoint?.checkpoint.step ?? 0
        guard step <= configuration.steps else {
            throw .beyond(run: run.name, step: step, steps: configuration.steps)
        }
        var kept = entries.rewound(to: step)
        if entries.identity == nil { kept.insert(.run(identity), at: 0) }
        if entries.count > 1 {
            kept.append(.resumed(.init(step: step, checkpoint: checkpoint?.digest, computer: inputs.computer)))
        }
        let log: RunLog
        do throws(RunLogError) {
            log = try RunLog(run.log, holding: kept, files: run.files)
        } catch { throw .log(error) }
        let events: EventFile?
        do throws(DiskError) {
            events = inputs.writesEvents ? try EventFile(in: run.tensorBoard, after: step) : nil
        } catch { throw .file(error.description) }
        let beginning = Checkpoint(
            step: 0, position: StreamPosition(), identity: identity, selection: selection.digest, weights: fresh,
            optimizer: AdamW(settings: configuration.optimizer, shapes: fresh.parameters.map(\.value.shape)))
        let builders = builders(inputs, for: fresh)
        let state = TrainingState(
            inputs, ranks: ranks, identity: identity, log: log, events: events, entries: kept,
            state: checkpoint?.checkpoint ?? beginning,
            references: try references(inputs, builders, checkpoint?.checkpoint ?? beginning), builders: builders)
        return (state, TrainingRanks.Start(identity: identity, step: step, checkpoint: checkpoint?.digest), lock)
    }

    /// A rank that writes nothing: it reads the checkpoint that the first one begins with.
    private static func follow(
        _ inputs: TrainingInputs, _ ranks: TrainingRanks
    ) throws(TrainingError) -> TrainingState {
        let (configuration, run) = (inputs.configuration, inputs.run)
        let fresh = try initialWeights(inputs)
        let start = try ranks.start()
        let checkpoint: Checkpoint
        if let digest = start.checkpoint {
            checkpoint = try ranks.waiting(for: "checkpoint \(digest.prefix(12))") { () throws(TrainingError) in
                let found = try latest(run, template: fresh, report: { _ in })
                return found?.digest == digest ? found?.checkpoint : nil
            }
        } else {
            checkpoint = Checkpoint(
                step: 0, position: StreamPosition(), identity: start.identity,
                selection: start.identity.selectionDigest, weights: fresh,
                optimizer: AdamW(settings: configuration.optimizer, shapes: fresh.parameters.map(\.value.shape)))
        }
        let builders = builders(inputs, for: fresh)
        return TrainingState(
            inputs, ranks: ranks, identity: start.identity, log: nil, events: nil, entries: [], state: checkpoint,
            references: try references(inputs, builders, checkpoint), builders: builders)
    }

    /// The first thing that does not fit the model or is missing, or nil.
    private static func problem(_ inputs: TrainingInputs) -> String? {
        let configuration = inputs.configuration
        let count = inputs.model.scheduler.trainTimesteps
        if let range = configuration.timesteps, range.last >= count {
            return "timesteps is \(range); the model has timesteps from 0 to \(count - 1)"
        }
        if configuration.loss?.kind == .contrast, inputs.negatives == nil {
            return "--loss contrast needs near-miss prompts; name a file of them with --negatives"
        }
        let unet = inputs.model.unet.configuration
        let activations = [unet.timeEmbeddingActFn, unet.timestepPostAct].compactMap(\.self)
        if configuration.targets == .all, let other = activations.first(where: { $0 == .mish || $0 == .relu }) {
            return
                "the UNet has \(other.rawValue) around its time embedding, through which --targets all does not train; "
                + "train an adapter"
        }
        return nil
    }

    private static func initialWeights(_ inputs: TrainingInputs) throws(TrainingError) -> TrainedWeights {
        let (configuration, unet) = (inputs.configuration, inputs.model.unet)
        if configuration.targets == .all {
            do throws(ModelError) {
                return .unet(UNetWeights(try UNetTensors.read(model: inputs.model.folder, variant: inputs.variant)))
            } catch { throw .model(error) }
        }
        do throws(AdapterError) {
            if let start = inputs.start {
                try start.validate(against: unet.linears)
                return .adapter(start)
            }
            return .adapter(
                try Adapter(
                    initializing: configuration.kind, rank: configuration.rank, alpha: Float(configuration.alpha),
                    targets: configuration.targets, for: unet.linears, seed: configuration.seed))
        } catch { throw .adapter(error) }
    }

    private static func builders(_ inputs: TrainingInputs, for weights: TrainedWeights) -> [NetworkBuilder] {
        ([inputs.model] + inputs.replicas).map { NetworkBuilder($0.unet, for: weights) }
    }

    private static func references(
        _ inputs: TrainingInputs, _ builders: [NetworkBuilder], _ checkpoint: Checkpoint
    ) throws(TrainingError) -> [Network?] {
        var references: [Network?] = []
        for builder in builders { references.append(try reference(inputs, builder, checkpoint)) }
        return references
    }

    /// What the loss holds the trained network against: for dpo the model without the adapter, for nft the policy that
    /// the run begins with, or the one that has followed the trained one since.
    private static func reference(
        _ inputs: TrainingInputs, _ builder: NetworkBuilder, _ checkpoint: Checkpoint
    ) throws(TrainingError) -> Network? {
        switch inputs.configuration.loss?.kind {
        case .dpo: return builder.untrained
        case .nft where inputs.configuration.loss?.policy != nil:
            let old = checkpoint.policy.map(checkpoint.weights.replacing) ?? checkpoint.weights
            do throws(ModelError) { return try builder.network(old) } catch { throw .model(error) }
        case .nft:
            guard let start = inputs.start else { return builder.untrained }
            do throws(ModelError) { return try builder.network(.adapter(start)) } catch { throw .model(error) }
        default: return nil
        }
    }

    private static func checkPlan(_ selection: SelectionResolution, _ inputs: TrainingInputs) throws(TrainingError) {
        do throws(TrainingSourceError) {
            _ = try EpochPlan(
                selection.ids, loss: inputs.configuration.loss ?? LossSettings(.denoise), negatives: inputs.negatives,
                source: inputs.source, note: { _ in })
        } catch { throw .source(error) }
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

    static func check(
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
        _ run: RunFolder, template: TrainedWeights, report: (TrainingEvent) -> Void
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
