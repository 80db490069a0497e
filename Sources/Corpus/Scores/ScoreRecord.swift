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
    /// What products were computed in, as "bfloat16"; nil for float32.
    package var precision: String?

    package init(
        model: String, adapter: String? = nil, draws: Int, steps: Int, seed: UInt64, schedule: ScheduleDescription,
        precision: String? = nil
    ) {
        self.precision = precision
        (self.model, self.adapter, self.draws, self.steps) = (model, adapter, draws, steps)
        (self.seed, self.schedule) = (seed, schedule)
    }

    /// Canonical; its digest tells whether a sample has been scored in this way.
    package var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "model": .string(model), "draws": .integer(draws), "steps": .integer(steps), "seed": .string(String(seed)),
            "schedule": schedule.json,
        ]
        if let adapter { members["adapter"] = .string(adapter) }
        if let precision { members["precision"] = .string(precision) }
        return .object(members)
    }

    package var digest: Digest { Digest(of: json.data) }

    private enum CodingKeys: String, CodingKey { case model, adapter, draws, steps, seed, schedule, precision }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        model = try values.decode(String.self, forKey: .model)
        adapter = try values.decodeIfPresent(String.self, forKey: .adapter)
        precision = try values.decodeIfPresent(String.self, forKey: .precision)
        draws = try values.decode(Int.self, forKey: .draws)
        steps = try values.decode(Int.self, forKey: .steps)
        let text = try values.decode(String.self, forKey: .seed)
        guard let number = UInt64(text) else {
            throw DecodingError.dataCorruptedError(forKey: .seed, in: values, debugDescription: "not a seed: \(text)")
        }
        seed = number
        schedule = try values.decode(ScheduleDescription.self, forKey: .schedule)
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

    package init(sample: Digest, timesteps: [Int32], draws: [[Float]]) {
        precondition(draws.allSatisfy { $0.count == timesteps.count }, "a draw has one value a timestep")
        (self.sample, self.timesteps, self.draws) = (sample, timesteps, draws)
    }
}
