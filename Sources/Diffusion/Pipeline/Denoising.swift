package import Tensors

/// A batch of images on its way from noise to latents: advanced step by step, cut down to some of its images, or joined
/// with others that are as far.
///
/// An image depends on its prompt and seed, not on which others are in its batch.
package struct Denoising {
    private let model: DiffusionModel
    private var request: GenerationRequest
    private var sampler: any Sampler
    private var generators: [TorchGenerator]
    /// `[N, h, w, C]`.
    private var z: Tensor
    private var deltas: [[Float]]
    private var conditions: Conditions?
    /// What the UNet saw and said in the last step, after guidance.
    private var last: (input: Tensor, output: Tensor)?
    /// Steps that are done.
    package private(set) var step = 0

    /// What every step is told of the prompts; what is computed from it alone is kept with it.
    private struct Conditions {
        let text: Tensor
        let added: AddedConditions?
        let context: ForwardContext
    }

    /// Draws the noise that each image begins with.
    ///
    /// - Throws: ``ModelError`` for a sampler that cannot make so many steps.
    package init(_ model: DiffusionModel, _ request: GenerationRequest) throws(ModelError) {
        (self.model, self.request) = (model, request)
        sampler = try request.sampler.make(model.scheduler, steps: request.steps)
        var generators = request.seeds.map { TorchGenerator(seed: $0) }
        let shape = [1, model.unet.configuration.inChannels] + model.latentSize(request.size)
        let noise = concatenateBatch(generators.indices.map { generators[$0].normal(shape) }).channelsLast
        z = (noise * sampler.initialNoiseScale).moved(to: model.device)
        self.generators = generators
        deltas = Array(repeating: [], count: request.seeds.count)
    }

    /// Several batches of the same settings and the same step as one.
    package init(joining parts: [Denoising]) {
        precondition(Set(parts.map(\.step)).count == 1, "batches are joined at one step")
        self = parts[0]
        request.prompts = parts.flatMap(\.request.prompts)
        request.seeds = parts.flatMap(\.request.seeds)
        generators = parts.flatMap(\.generators)
        deltas = parts.flatMap(\.deltas)
        z = concatenateBatch(parts.map(\.z))
        let memories = parts.map(\.sampler.memory)
        sampler.memory = memories[0].indices.map { place in concatenateBatch(memories.map { $0[place] }) }
        (conditions, last) = (nil, nil)
    }

    /// Images in the batch.
    package var count: Int { request.seeds.count }
    /// Steps in all: what the sampler makes of those that were asked for.
    package var steps: Int { sampler.timesteps.count }
    /// How many times each image passes through the UNet in a step.
    package var forwardsAStep: Int { tracesApart ? 3 : isGuided ? 2 : 1 }

    private var isGuided: Bool { model.isGuided(request.guidance) }
    private var tracesApart: Bool { isGuided && request.negative != nil && request.baseline == .emptyPrompt }
    private var traceTimesteps: [Int] {
        let highest = model.schedule.count - 1
        return sampler.traceTimesteps.map { min(max($0 ?? highest, 0), highest) }
    }

    /// Makes steps up to `end` of them.
    ///
    /// - Parameters:
    ///   - end: how many are done afterwards.
    ///   - progress: called after each step with the share of all steps that are done; throws to stop, after which the batch
    ///     is of no use.
    package mutating func advance(
        to end: Int, progress: (Double) throws(ModelError) -> Void = { _ in }
    ) throws(ModelError) {
        let conditions = self.conditions ?? makeConditions()
        self.conditions = conditions
        var (sampler, generators, deltas, z) = (self.sampler, self.generators, self.deltas, self.z)
        let count = self.count
        let shape = [1, model.unet.configuration.inChannels] + model.latentSize(request.size)
        func noise() -> Tensor {
            concatenateBatch(generators.indices.map { generators[$0].normal(shape) }).channelsLast
        }
        let scale = model.unet.configuration.timeCondProjDim.map { guidanceEmbedding(request.guidance, width: $0) }
        let schedule = NoiseSchedule(model.scheduler.resolved(for: request.sampler))
        let traceSteps = sampler.traceTimesteps
        while step < end {
            let input = sampler.scaleInput(z, step: step)
            let output = model.predictions(
                input, sampler.timesteps[step], text: conditions.text, added: conditions.added, guidance: scale,
                in: conditions.context)
            func part(_ index: Int) -> Tensor { output.batch(index * count..<(index + 1) * count) }
            var guidedOutput = output
            if isGuided {
                let (unconditional, conditional) = (part(0), part(1))
                guidedOutput = unconditional + (conditional - unconditional) * request.guidance
                if request.baseline != .none, let t = traceSteps[step] {
                    let weight = model.traceWeight(t, schedule)
                    let distances = Reduction.squaredDistancePerSample(
                        conditional, tracesApart ? part(2) : unconditional)
                    for (row, distance) in distances.enumerated() { deltas[row].append(Float(distance * weight)) }
                }
            }
            for row in deltas.indices where deltas[row].count == step { deltas[row].append(.nan) }
            z = sampler.step(modelOutput: guidedOutput, step: step, sample: z, noise: noise)
            last = (input, guidedOutput)
            step += 1
            try model.checkDevice()
            try progress(Double(step) / Double(sampler.timesteps.count))
        }
        (self.sampler, self.generators, self.deltas, self.z) = (sampler, generators, deltas, z)
    }

    private func makeConditions() -> Conditions {
        var prompts = request.prompts
        let count = prompts.count
        if isGuided { prompts = Array(repeating: request.negative ?? model.emptyPrompt, count: count) + prompts }
        if tracesApart { prompts += Array(repeating: model.emptyPrompt, count: count) }
        return Conditions(
            text: PromptEmbedding.batch(prompts),
            added: model.addedConditions(prompts, latents: model.latentSize(request.size)),
            context: ForwardContext(adapters: request.adapters, crossAttention: CrossAttentionCache()))
    }

    /// Continues with some of the images alone.
    package mutating func keep(_ rows: [Int]) {
        request.prompts = rows.map { request.prompts[$0] }
        request.seeds = rows.map { request.seeds[$0] }
        generators = rows.map { generators[$0] }
        deltas = rows.map { deltas[$0] }
        z = z.samples(rows)
        sampler.memory = sampler.memory.map { $0.samples(rows) }
        last = last.map { ($0.input.samples(rows), $0.output.samples(rows)) }
        conditions = nil
    }

    /// What was measured up to here.
    package var traces: [MITrace] {
        let timesteps = Array(traceTimesteps.prefix(step))
        return deltas.map { MITrace(timesteps: timesteps, deltaSquared: $0) }
    }

    /// The clean latents that the last step predicted, `[N, C, h, w]`; nil before the first step, and where the step's noise
    /// level is none that the model was trained at.
    package var cleanLatents: Tensor? {
        guard let last, let t = sampler.traceTimesteps[step - 1], model.schedule.alphasCumprod.indices.contains(t)
        else { return nil }
        let kept = NoiseSchedule(model.scheduler.resolved(for: request.sampler)).alphasCumprod[t]
        let (a, b) = (kept.squareRoot(), (1 - kept).squareRoot())
        let clean =
            switch model.scheduler.predictionType {
            case .epsilon: (last.input - last.output * b) * (1 / a)
            case .velocity: last.input * a - last.output * b
            }
        return clean.moved(to: .cpu).channelsFirst
    }

    /// Decodes what came out of the last step.
    ///
    /// - Throws: ``ModelError`` for a device that failed.
    package func generations() throws(ModelError) -> [Generation] {
        precondition(step == steps, "images are decoded after the last step, not after \(step) of \(steps)")
        let shape = [model.unet.configuration.inChannels] + model.latentSize(request.size)
        let latents = z.moved(to: .cpu).channelsFirst
        let images = model.decodeChecked(z)
        try model.checkDevice()
        return zip(images, traces).enumerated().map { row, made in
            let latent = latents.batch(row..<row + 1).reshaped(shape)
            return Generation(
                latent: latent, image: made.0.image, trace: made.1,
                isFinite: made.0.isFinite && latent.firstNonFinite == nil)
        }
    }
}
