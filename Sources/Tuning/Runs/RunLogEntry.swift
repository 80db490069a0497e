package import CorpusStore

/// One line of a run's log.
package enum RunLogEntry: Sendable, Hashable {
    /// The first line: what the run is bound to.
    case run(RunIdentity)
    /// The selection that an epoch reads, written before its first sample is used.
    case resolution(Resolution)
    case step(Step)
    case evaluation(Evaluation)
    case validation(Validation)
    case checkpoint(SavedCheckpoint)
    /// A restart from a checkpoint (none: from the beginning).
    case resumed(Resumed)
    case finished(Finished)

    package struct Resolution: Codable, Sendable, Hashable {
        package let epoch: Int
        /// SHA-256 of the selection document.
        package let selection: Digest
        package let count: Int

        package init(epoch: Int, selection: Digest, count: Int) {
            self.epoch = epoch
            self.selection = selection
            self.count = count
        }
    }

    package struct Step: Codable, Sendable, Hashable {
        /// Counted from 1.
        package let step: Int
        /// The run's loss over the step's samples.
        package let loss: Double
        /// Global norm before clipping.
        package let gradNorm: Double
        package let lr: Double
        /// Samples read since the run began.
        package let samples: Int
        package let epoch: Int
        package let timesteps: [Int]

        package init(
            step: Int, loss: Double, gradNorm: Double, lr: Double, samples: Int, epoch: Int, timesteps: [Int]
        ) {
            self.step = step
            self.loss = loss
            self.gradNorm = gradNorm
            self.lr = lr
            self.samples = samples
            self.epoch = epoch
            self.timesteps = timesteps
        }

        enum CodingKeys: String, CodingKey {
            case step, loss, lr, samples, epoch, timesteps
            case gradNorm = "grad_norm"
        }
    }

    package struct Evaluation: Codable, Sendable, Hashable {
        package let step: Int
        /// The run's loss on its fixed samples, noises and timesteps.
        package let loss: Double
    }

    /// Images of the validation prompts.
    package struct Validation: Codable, Sendable, Hashable {
        package let step: Int
        /// Names of the files in `validation/<step>/`.
        package let images: [String]

        package init(step: Int, images: [String]) { (self.step, self.images) = (step, images) }
    }

    package struct SavedCheckpoint: Codable, Sendable, Hashable {
        package let step: Int
        /// SHA-256 of the checkpoint file, which is its name.
        package let checkpoint: String

        package init(step: Int, checkpoint: String) {
            self.step = step
            self.checkpoint = checkpoint
        }
    }

    package struct Resumed: Codable, Sendable, Hashable {
        package let step: Int
        package let checkpoint: String?
        /// What computes from here on; nil in logs of before it was noted.
        package let computer: RunComputer?

        package init(step: Int, checkpoint: String?, computer: RunComputer? = nil) {
            self.computer = computer
            self.step = step
            self.checkpoint = checkpoint
        }
    }

    package struct Finished: Codable, Sendable, Hashable {
        package let step: Int
        /// Digest of the adapter file; nil where all weights were trained.
        package let adapter: String?
        /// Digest of the model folder, where all weights were trained.
        package let model: String?

        package init(step: Int, adapter: String?, model: String? = nil) {
            (self.step, self.adapter, self.model) = (step, adapter, model)
        }
    }
}

extension RunLogEntry: Codable {
    private enum Kind: String, Codable {
        case run, resolution, step, evaluation, validation, checkpoint, resumed, finished
    }
    private enum CodingKeys: String, CodingKey { case event }

    package init(from decoder: any Decoder) throws {
        switch try decoder.container(keyedBy: CodingKeys.self).decode(Kind.self, forKey: .event) {
        case .run: self = .run(try RunIdentity(from: decoder))
        case .resolution: self = .resolution(try Resolution(from: decoder))
        case .step: self = .step(try Step(from: decoder))
        case .evaluation: self = .evaluation(try Evaluation(from: decoder))
        case .validation: self = .validation(try Validation(from: decoder))
        case .checkpoint: self = .checkpoint(try SavedCheckpoint(from: decoder))
        case .resumed: self = .resumed(try Resumed(from: decoder))
        case .finished: self = .finished(try Finished(from: decoder))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .run(let value):
            try container.encode(Kind.run, forKey: .event)
            try value.encode(to: encoder)
        case .resolution(let value):
            try container.encode(Kind.resolution, forKey: .event)
            try value.encode(to: encoder)
        case .step(let value):
            try container.encode(Kind.step, forKey: .event)
            try value.encode(to: encoder)
        case .evaluation(let value):
            try container.encode(Kind.evaluation, forKey: .event)
            try value.encode(to: encoder)
        case .validation(let value):
            try container.encode(Kind.validation, forKey: .event)
            try value.encode(to: encoder)
        case .checkpoint(let value):
            try container.encode(Kind.checkpoint, forKey: .event)
            try value.encode(to: encoder)
        case .resumed(let value):
            try container.encode(Kind.resumed, forKey: .event)
            try value.encode(to: encoder)
        case .finished(let value):
            try container.encode(Kind.finished, forKey: .event)
            try value.encode(to: encoder)
        }
    }
}
