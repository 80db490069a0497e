/// How stored samples were scored after they were made.
package struct Scorer: Sendable, Equatable, Codable {
    /// The digest of the model whose predictions were compared.
    package var model: String
    /// The digest of the adapter that was folded in, if any.
    package var adapter: String?
    /// Noise samples per timestep.
    package var draws: Int
    /// Timesteps measured.
    package var steps: Int
    package var seed: UInt64
    package var schedule: ScheduleDescription
    /// Where near-miss prompts came from; nil where only the prompt and the empty prompt were compared.
    package var negatives: NegativeSource?
    /// The lowest and the highest timestep that were to be measured; nil for all of the schedule.
    package var timesteps: ClosedRange<Int>?
    /// How many images of a prompt were told from the rest, which were not measured everywhere; nil where all were.
    package var settled: Int?
    /// The weight of the log of the error under the prompt in what they were ranked by (contrast less so much of it).
    package var settledErrorWeight: Double
    /// What products were computed in, as "bfloat16"; nil for float32.
    package var precision: String?
    /// What computed, as "cuda 2.15.0"; nil for the CPU's own loops. It does not tell one scoring from another.
    package var engine: String?

    package init(
        model: String, adapter: String? = nil, draws: Int, steps: Int, seed: UInt64, schedule: ScheduleDescription,
        negatives: NegativeSource? = nil, timesteps: ClosedRange<Int>? = nil, settled: Int? = nil,
        settledErrorWeight: Double = 0, precision: String? = nil, engine: String? = nil
    ) {
        self.settledErrorWeight = settledErrorWeight
        (self.precision, self.engine) = (precision, engine)
        (self.model, self.adapter, self.draws, self.steps) = (model, adapter, draws, steps)
        (self.seed, self.schedule) = (seed, schedule)
        (self.negatives, self.timesteps, self.settled) = (negatives, timesteps, settled)
    }

    /// Canonical.
    package var json: CanonicalJSON {
        var members = members
        if let engine { members["engine"] = .string(engine) }
        return .object(members)
    }

    private var members: [String: CanonicalJSON] {
        var members: [String: CanonicalJSON] = [
            "model": .string(model), "draws": .integer(draws), "steps": .integer(steps), "seed": .string(String(seed)),
            "schedule": schedule.json,
        ]
        if let adapter { members["adapter"] = .string(adapter) }
        if let precision { members["precision"] = .string(precision) }
        if let negatives { members["negatives"] = negatives.json }
        if let timesteps {
            members["timesteps"] = .array([.integer(timesteps.lowerBound), .integer(timesteps.upperBound)])
        }
        if let settled { members["settled"] = .integer(settled) }
        if settledErrorWeight != 0 { members["settled_error"] = .number(settledErrorWeight) }
        return members
    }

    /// Tells whether a sample has been scored in this way, whatever computed it.
    package var digest: Digest { Digest(of: CanonicalJSON.object(members).data) }

    private enum CodingKeys: String, CodingKey {
        case model, adapter, draws, steps, seed, schedule, negatives, timesteps, settled, precision, engine
        case settledErrorWeight = "settled_error"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        model = try values.decode(String.self, forKey: .model)
        adapter = try values.decodeIfPresent(String.self, forKey: .adapter)
        precision = try values.decodeIfPresent(String.self, forKey: .precision)
        engine = try values.decodeIfPresent(String.self, forKey: .engine)
        draws = try values.decode(Int.self, forKey: .draws)
        steps = try values.decode(Int.self, forKey: .steps)
        let text = try values.decode(String.self, forKey: .seed)
        guard let number = UInt64(text) else {
            throw DecodingError.dataCorruptedError(forKey: .seed, in: values, debugDescription: "not a seed: \(text)")
        }
        seed = number
        schedule = try values.decode(ScheduleDescription.self, forKey: .schedule)
        negatives = try values.decodeIfPresent(NegativeSource.self, forKey: .negatives)
        settled = try values.decodeIfPresent(Int.self, forKey: .settled)
        settledErrorWeight = try values.decodeIfPresent(Double.self, forKey: .settledErrorWeight) ?? 0
        if let ends = try values.decodeIfPresent([Int].self, forKey: .timesteps) {
            guard ends.count == 2, ends[0] <= ends[1] else {
                throw DecodingError.dataCorruptedError(
                    forKey: .timesteps, in: values, debugDescription: "not a range: \(ends)")
            }
            timesteps = ends[0]...ends[1]
        }
    }
}

/// A Monte-Carlo trace of a stored sample.
package struct ScoreRecord: Sendable, Equatable {
    /// The sample's id.
    package var sample: Digest
    /// Training timesteps from noisy to clean.
    package var timesteps: [Int32]
    /// ‖Δε‖² of each draw at each timestep.
    package var draws: [[Float]]
    /// The errors under the prompt, the empty prompt and its near misses, where those were measured.
    package var curves: ErrorCurves?

    package init(sample: Digest, timesteps: [Int32], draws: [[Float]], curves: ErrorCurves? = nil) {
        precondition(draws.allSatisfy { $0.count == timesteps.count }, "a draw has one value a timestep")
        precondition(
            curves.map { $0.errors.count == draws.count * timesteps.count * $0.prompts } ?? true,
            "error curves have one value a draw, timestep and prompt")
        (self.sample, self.timesteps, self.draws, self.curves) = (sample, timesteps, draws, curves)
    }
}
