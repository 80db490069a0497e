/// What is known of a sample before it is generated. Its digest tells whether the work has been done.
package struct SampleRecipe: Sendable, Equatable {
    package var prompt: String
    package var seed: UInt64
    /// The digest of the model's files.
    package var model: String
    /// The digest of the adapter that was folded in, if any.
    package var adapter: String?
    package var sampler: String
    package var steps: Int
    package var guidance: Double
    package var width, height: Int
    /// What belongs to the recipe where it is not as usual.
    package var extras = RecipeExtras()
    /// The file that an imported sample was made from; nil for a generated one.
    package var source: ImportedSource?

    package init(
        prompt: String, seed: UInt64, model: String, adapter: String? = nil, sampler: String, steps: Int,
        guidance: Double, width: Int, height: Int, extras: RecipeExtras = RecipeExtras(),
        source: ImportedSource? = nil
    ) {
        self.extras = extras
        (self.prompt, self.seed, self.model, self.adapter) = (prompt, seed, model, adapter)
        (self.sampler, self.steps, self.guidance) = (sampler, steps, guidance)
        (self.width, self.height, self.source) = (width, height, source)
    }

    var members: [String: CanonicalJSON] {
        var members: [String: CanonicalJSON] = [
            "prompt": .string(prompt), "seed": .string(String(seed)), "model": .string(model),
            "sampler": .string(sampler), "steps": .integer(steps), "guidance": .number(guidance),
            "width": .integer(width), "height": .integer(height),
        ]
        if let adapter { members["adapter"] = .string(adapter) }
        if let text = extras.negativePrompt { members["negative_prompt"] = .string(text) }
        if extras.clipSkip > 0 { members["clip_skip"] = .integer(extras.clipSkip) }
        if extras.tracesNegativePrompt { members["mi_baseline"] = .string(RecipeExtras.negativeBaseline) }
        if !extras.ignoredFields.isEmpty {
            members["ignored_config"] = .array(extras.ignoredFields.map { .string($0) })
        }
        if let precision = extras.precision { members["precision"] = .string(precision) }
        if let pruning = extras.pruning { members["pruning"] = pruning.json }
        if let source {
            members["source_sha256"] = .string(source.file.hex)
            members["source_fit"] = .string(source.fit)
        }
        return members
    }

    package var digest: Digest { Digest(of: CanonicalJSON.object(members).data) }
}

/// Settings that most samples are made without. A recipe without them has the digest that it had before they existed.
package struct RecipeExtras: Sendable, Equatable {
    /// What guidance led away from, in place of the empty prompt.
    package var negativePrompt: String?
    /// Layers of the text encoder that were left out.
    package var clipSkip: Int
    /// Whether the trace compares with the negative prompt, not with the empty one.
    package var tracesNegativePrompt: Bool
    /// Fields of the model's files that were left out, as `part.field`, sorted.
    package var ignoredFields: [String]
    /// What products were computed in, as "bfloat16"; nil for float32.
    package var precision: String?
    /// How it was chosen among the candidates of its prompt before they were finished; nil where all were.
    package var pruning: CandidatePruning?

    static let negativeBaseline = "negative"

    package init(
        negativePrompt: String? = nil, clipSkip: Int = 0, tracesNegativePrompt: Bool = false,
        ignoredFields: [String] = [], precision: String? = nil, pruning: CandidatePruning? = nil
    ) {
        (self.precision, self.pruning) = (precision, pruning)
        (self.negativePrompt, self.clipSkip) = (negativePrompt, clipSkip)
        (self.tracesNegativePrompt, self.ignoredFields) = (tracesNegativePrompt, ignoredFields)
    }
}

/// Where an imported image comes from. What it is made from counts for the recipe; where that lay does not, so that an
/// image is not imported twice from two places.
package struct ImportedSource: Sendable, Equatable {
    /// SHA-256 of the original file.
    package var file: Digest
    /// How it was brought to its size: "crop", "stretch", or "keep".
    package var fit: String
    /// Its place in the data set that it came with.
    package var path: String
    /// Where that data set says that it was found.
    package var url: String?

    package init(file: Digest, fit: String, path: String, url: String? = nil) {
        (self.file, self.fit, self.path, self.url) = (file, fit, path, url)
    }
}

/// The noise schedule behind a trace, so that estimators can weigh it without the model.
package struct ScheduleDescription: Sendable, Equatable, Codable {
    package var betaStart, betaEnd: Double
    /// "linear", "scaled_linear" or "squaredcos_cap_v2".
    package var betaSchedule: String
    package var trainTimesteps: Int
    /// True where betas were rescaled to zero terminal SNR; nil otherwise.
    package var rescaleBetasZeroSNR: Bool?

    private enum CodingKeys: String, CodingKey {
        case betaStart = "beta_start"
        case betaEnd = "beta_end"
        case betaSchedule = "beta_schedule"
        case trainTimesteps = "num_train_timesteps"
        case rescaleBetasZeroSNR = "rescale_betas_zero_snr"
    }

    package init(
        betaStart: Double, betaEnd: Double, betaSchedule: String, trainTimesteps: Int, rescalesToZeroSNR: Bool = false
    ) {
        rescaleBetasZeroSNR = rescalesToZeroSNR ? true : nil
        (self.betaStart, self.betaEnd) = (betaStart, betaEnd)
        (self.betaSchedule, self.trainTimesteps) = (betaSchedule, trainTimesteps)
    }

    /// Whether it may be computed: a hostile one would ask for all memory.
    var isPlausible: Bool { (1...1_000_000).contains(trainTimesteps) && betaStart.isFinite && betaEnd.isFinite }

    var json: CanonicalJSON {
        var members: [String: CanonicalJSON] = [
            "beta_start": .number(betaStart), "beta_end": .number(betaEnd), "beta_schedule": .string(betaSchedule),
            "num_train_timesteps": .integer(trainTimesteps),
        ]
        if let rescaleBetasZeroSNR { members["rescale_betas_zero_snr"] = .bool(rescaleBetasZeroSNR) }
        return .object(members)
    }
}

/// One sample as it is written: image, latent, trace and where they come from.
package struct SampleRecord: Sendable {
    package var recipe: SampleRecipe
    /// Free for the user: a name for a group of samples.
    package var tag: String?
    /// What computed it, as "cuda 2.15.0": the kind of device and PyTorch's version; nil for the CPU's own loops. Not part of
    /// the recipe, so that work done on one device is not done again on another.
    package var engine: String?
    /// Nil where there is no trace.
    package var schedule: ScheduleDescription?
    /// The PNG file.
    package var png: [UInt8]
    /// SHA-256 of the decoded pixels, RGB row by row.
    package var pixels: Digest
    /// Channels, height, width; row-major values, channels first. Both empty where nobody has encoded the image.
    package var latentShape: [Int]
    package var latent: [Float]
    /// The trace: training timesteps from noisy to clean, and ‖Δε‖² at each; NaN where a step was not guided.
    package var timesteps: [Int32]
    package var deltaSquared: [Float]
    /// Of a flow-matching model; as long as the trace.
    package var flow: FlowTrace?

    package init(
        recipe: SampleRecipe, tag: String? = nil, engine: String? = nil, schedule: ScheduleDescription? = nil,
        png: [UInt8], pixels: Digest, latentShape: [Int], latent: [Float],
        timesteps: [Int32], deltaSquared: [Float], flow: FlowTrace? = nil
    ) {
        precondition(
            latentShape.isEmpty ? latent.isEmpty : latentShape.reduce(1, *) == latent.count,
            "\(latent.count) values for the latent \(latentShape)")
        precondition(timesteps.count == deltaSquared.count, "a trace has one value a timestep")
        precondition(flow.map { $0.sigmas.count == timesteps.count } ?? true, "a flow trace has one value per step")
        self.flow = flow
        (self.recipe, self.tag, self.engine, self.schedule) = (recipe, tag, engine, schedule)
        (self.png, self.pixels) = (png, pixels)
        (self.latentShape, self.latent) = (latentShape, latent)
        (self.timesteps, self.deltaSquared) = (timesteps, deltaSquared)
    }

    /// The canonical manifest: the recipe and the digests of what came out.
    package var manifest: CanonicalJSON {
        var members = recipe.members
        if let source = recipe.source {
            members["source_path"] = .string(source.path)
            if let url = source.url { members["source_url"] = .string(url) }
        }
        members["pixels_sha256"] = .string(pixels.hex)
        members["latent_sha256"] = .string(Digest(of: latent).hex)
        members["latent_shape"] = .array(latentShape.map { .integer($0) })
        members["recipe_sha256"] = .string(recipe.digest.hex)
        if let schedule { members["schedule"] = schedule.json }
        if let tag { members["tag"] = .string(tag) }
        if let engine { members["engine"] = .string(engine) }
        return .object(members)
    }

    /// SHA-256 of the manifest: the sample's id.
    package var id: Digest { Digest(of: manifest.data) }
}
