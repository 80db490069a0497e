package import CorpusStore
package import Foundation
import Diffusion
package import Tensors

/// Everything a run needs to resume after a step as if it had never stopped.
package struct Checkpoint: Sendable {
    /// Optimizer steps made.
    package let step: Int
    package let position: StreamPosition
    package let identity: RunIdentity
    /// Digest of the selection that the present epoch reads.
    package let selection: Digest
    package let weights: TrainedWeights
    package let optimizer: AdamW
    /// The moving average of the weights; nil in runs without one.
    package let average: [Tensor]?
    /// The values of the old policy; nil in runs where it stays as it was.
    package let policy: [Tensor]?

    package init(
        step: Int, position: StreamPosition, identity: RunIdentity, selection: Digest, weights: TrainedWeights,
        optimizer: AdamW, average: [Tensor]? = nil, policy: [Tensor]? = nil
    ) {
        self.policy = policy
        self.step = step
        self.position = position
        self.identity = identity
        self.selection = selection
        self.weights = weights
        self.optimizer = optimizer
        self.average = average
    }
}

/// Why a checkpoint file cannot be used.
package struct CheckpointError: Error, CustomStringConvertible, Sendable {
    package let description: String

    init(_ file: URL, _ reason: String) {
        description = "checkpoint \(file.lastPathComponent): \(reason)"
    }
}

/// A checkpoint's state without its tensors: the metadata of the file.
struct CheckpointState: Codable {
    /// Layout of the file; raised when a reader of the old one would go wrong: 2 has what versions up to 0.2 do not know
    /// of, and is written for runs that use it.
    static let currentVersion = 2

    let version: Int
    let step: Int
    let position: StreamPosition
    let seed: UInt64
    let identity: RunIdentity
    let identityDigest: String
    let selection: Digest
}

extension Checkpoint {
    private static let stateKey = "attune.checkpoint"
    private static let firstMoment = "exp_avg."
    private static let secondMoment = "exp_avg_sq."

    private static let averages = "ema."
    private static let policies = "old."

    /// The file's bytes: one safetensors file with trained weights, moments and average, everything else as JSON in its metadata. The
    /// same state gives the same bytes.
    package func data() throws -> Data {
        let state = CheckpointState(
            version: identity.configuration.isOfFirstLayout ? 1 : CheckpointState.currentVersion, step: step,
            position: position,
            seed: identity.configuration.seed, identity: identity, identityDigest: identity.digest,
            selection: selection)
        let parameters = weights.parameters
        var tensors = parameters.map { ($0.name, $0.value) }
        tensors += zip(parameters, optimizer.first).map { (Self.firstMoment + $0.name, $1) }
        tensors += zip(parameters, optimizer.second).map { (Self.secondMoment + $0.name, $1) }
        if let average { tensors += zip(parameters, average).map { (Self.averages + $0.name, $1) } }
        if let policy { tensors += zip(parameters, policy).map { (Self.policies + $0.name, $1) } }
        return SafetensorsWriter.data(
            Dictionary(uniqueKeysWithValues: tensors),
            metadata: [Self.stateKey: String(decoding: try JSONEncoder.stable.encode(state), as: UTF8.self)])
    }

    /// The state in a file's header, read without its tensors.
    static func state(of file: URL) throws(CheckpointError) -> CheckpointState {
        do {
            return try state(in: try SafetensorsFile(file), file: file)
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError(file, "\(error)")
        }
    }

    /// Reads a checkpoint for the weights that `template` has.
    package init(reading file: URL, template: TrainedWeights) throws(CheckpointError) {
        do {
            let safetensors = try SafetensorsFile(file)
            let state = try Self.state(in: safetensors, file: file)
            func read(_ prefix: String) throws -> [Tensor] {
                try template.parameters.map { parameter in
                    let tensor = try safetensors.tensor(prefix + parameter.name)
                    guard tensor.shape == parameter.value.shape else {
                        throw CheckpointError(
                            file, "\(parameter.name) is \(tensor.shape), not \(parameter.value.shape)")
                    }
                    return tensor
                }
            }
            self.init(
                step: state.step, position: state.position, identity: state.identity, selection: state.selection,
                weights: template.replacing(try read("")),
                optimizer: AdamW(
                    settings: state.identity.configuration.optimizer, step: state.step,
                    first: try read(Self.firstMoment), second: try read(Self.secondMoment)),
                average: state.identity.configuration.averageDecay == nil ? nil : try read(Self.averages),
                policy: state.identity.configuration.loss?.policy == nil ? nil : try read(Self.policies))
        } catch let error as CheckpointError {
            throw error
        } catch {
            throw CheckpointError(file, "\(error)")
        }
    }

    private static func state(in safetensors: SafetensorsFile, file: URL) throws -> CheckpointState {
        guard let text = safetensors.metadata[stateKey] else {
            throw CheckpointError(file, "it is not a checkpoint of Attune")
        }
        let state = try JSONDecoder().decode(CheckpointState.self, from: Data(text.utf8))
        guard (1...CheckpointState.currentVersion).contains(state.version) else {
            throw CheckpointError(
                file, "it has layout \(state.version), this version reads up to \(CheckpointState.currentVersion)")
        }
        return state
    }
}
