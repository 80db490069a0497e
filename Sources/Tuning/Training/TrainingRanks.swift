import Cluster
import CorpusStore
import Diffusion
import Foundation
import Tensors

/// The processes that share out each step's microbatches: one alone, or the ranks of a group.
///
/// Every rank has the same weights and optimizer and makes every step. Microbatch j of a step is computed by rank j modulo
/// their number; gradients are added in the order of the microbatches, whoever computed them, so that the number of ranks
/// changes no byte. The first rank writes log and checkpoints.
struct TrainingRanks {
    private let group: (any RankGroup)?

    init(_ group: (any RankGroup)?) { self.group = group.flatMap { $0.size > 1 ? $0 : nil } }

    var rank: Int { group?.rank ?? 0 }
    /// Whether this rank writes.
    var writes: Bool { rank == 0 }

    /// Where the first rank begins.
    struct Start: Codable {
        let identity: RunIdentity
        let step: Int
        let checkpoint: String?
    }

    // MARK: Before the first step

    /// - Throws: ``TrainingError/ranks(_:)`` where ranks differ in what decides the bytes of the adapter;
    ///   ``TrainingError/settings(_:)`` where there are more ranks than microbatches.
    func agree(_ inputs: TrainingInputs) throws(TrainingError) {
        guard let group else { return }
        let accumulate = inputs.configuration.accumulate
        guard accumulate >= group.size else {
            throw .settings(
                "\(group.size) ranks share out the \(accumulate) batches of a step: give --accumulate \(group.size) or more, "
                    + "with a smaller --batch, or fewer ranks")
        }
        let agreement = RankAgreement([
            .init("attune", inputs.computer.attune ?? "of no version"), .init("the model", inputs.model.digest),
            .init("the arithmetic of", inputs.computer.description),
            .init("the selection", inputs.source.selectionName), .init("the run", inputs.run.name),
            .init("the settings", try Self.text(inputs.configuration)),
        ])
        try with { () throws(RankError) in try agreement.check(group) }
    }

    /// Tells the other ranks where the run begins.
    func begin(_ start: Start) throws(TrainingError) {
        guard let group else { return }
        let bytes = Array(try Self.text(start).utf8)
        _ = try with { () throws(RankError) in try group.broadcast(bytes, from: 0) }
    }

    /// Where the first rank begins.
    func start() throws(TrainingError) -> Start {
        guard let group else { preconditionFailure("one process alone leads") }
        let bytes = try with { () throws(RankError) in try group.broadcast([], from: 0) }
        do {
            return try JSONDecoder().decode(Start.self, from: Data(bytes))
        } catch {
            throw .ranks(
                RankError("rank \(group.rank): rank 0 sent what is not a beginning (\(error)); install one version"))
        }
    }

    /// What another host has written, which a network file system may show late.
    func waiting<R>(
        for what: String, _ look: () throws(TrainingError) -> R?
    ) throws(TrainingError) -> R {
        for attempt in 0..<Self.attempts {
            if let found = try look() { return found }
            if attempt + 1 < Self.attempts { Thread.sleep(forTimeInterval: 1) }
        }
        throw .ranks(
            RankError(
                "rank \(rank): \(what), with which rank 0 begins, is not in the corpus that this host sees; mount one corpus on "
                    + "every host"))
    }

    /// A minute: attribute caches of NFS expire before.
    private static let attempts = 60

    // MARK: A step

    /// Whether a rank says so; the same on all of them.
    func any(_ isSo: Bool) throws(TrainingError) -> Bool {
        guard let group else { return isSo }
        return try with { () throws(RankError) in try group.gather([isSo ? 1 : 0]) }.contains([1])
    }

    /// An epoch's selection, as the first rank has resolved it.
    func shared(
        _ resolution: SelectionResolution?, _ source: any TrainingSource
    ) throws(TrainingError) -> SelectionResolution {
        guard let group else { return try Self.required(resolution) }
        let sent = try with { () throws(RankError) in try group.broadcast(resolution?.digest.raw ?? [], from: 0) }
        if let resolution { return resolution }
        guard sent.count == 32 else {
            throw .ranks(
                RankError("rank \(rank): rank 0 sent what is not a digest of a selection; install one version"))
        }
        let digest = Digest(raw: sent)
        return try waiting(for: "selection \(digest.hex.prefix(12))") { () throws(TrainingError) in
            do throws(TrainingSourceError) { return try source.resolution(digest: digest) } catch { return nil }
        }
    }

    private static func required(_ resolution: SelectionResolution?) throws(TrainingError) -> SelectionResolution {
        guard let resolution else { preconditionFailure("the rank that writes resolves") }
        return resolution
    }

    /// Loss and gradients of a step.
    ///
    /// - Parameters:
    ///   - microbatches: of the step.
    ///   - shapes: of the gradients.
    ///   - together: how many this process computes side by side.
    ///   - compute: gives loss and gradients of some microbatches, with their share of the step in them; told which one is
    ///     computed next on this rank.
    func accumulate(
        _ microbatches: Int, shapes: [[Int]], together: Int,
        compute: (_ microbatches: Range<Int>, _ following: Int) throws(TrainingError) -> [(
            loss: Double, gradients: [Tensor]
        )]
    ) throws(TrainingError) -> (loss: Double, gradients: [Tensor]) {
        guard let group else {
            var (loss, total): (Double, [Tensor]) = (0, [])
            for first in stride(from: 0, to: microbatches, by: together) {
                let next = min(first + together, microbatches)
                // In the order of the microbatches, however many there are side by side.
                for found in try compute(first..<next, next) {
                    loss += found.loss
                    total = total.isEmpty ? found.gradients : zip(total, found.gradients).map { $0 + $1 }
                }
            }
            return (loss, total)
        }
        var sum = OrderedSum(group, lengths: shapes.map { $0.reduce(1, *) })
        var losses: [Double] = []
        // A round: each rank computes one microbatch, then all add them up. So no rank keeps more than one.
        for round in stride(from: 0, to: microbatches, by: group.size) {
            let own = round + group.rank
            let found = own < microbatches ? try compute(own..<own + 1, own + group.size)[0] : (0, [])
            let members = round..<min(round + group.size, microbatches)
            losses += try with { () throws(RankError) in
                for microbatch in members {
                    let owner = OrderedSum.owner(ofMicrobatch: microbatch, of: group)
                    try sum.add(from: owner) { found.1[$0].values }
                }
                return try group.gather(withUnsafeBytes(of: found.0) { Array($0) })[..<members.count].map { bytes in
                    bytes.withUnsafeBytes { $0.loadUnaligned(as: Double.self) }
                }
            }
        }
        let total = try with { () throws(RankError) in try sum.total() }
        return (losses.reduce(0, +), zip(shapes, total).map { Tensor(shape: $0, values: $1) })
    }

    private func with<R>(_ body: () throws(RankError) -> R) throws(TrainingError) -> R {
        do throws(RankError) { return try body() } catch { throw .ranks(error) }
    }

    private static func text(_ value: some Encodable) throws(TrainingError) -> String {
        do {
            return String(decoding: try JSONEncoder.stable.encode(value), as: UTF8.self)
        } catch { throw .ranks(RankError("\(error)")) }
    }
}
