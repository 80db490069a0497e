import Diffusion
import Foundation
import Tensors
import TestSupport
import Testing
import Tuning

/// Every loss and its gradients against a statement of its formula in torch (make_loss_goldens.py).
@Suite struct LossGoldenTests {
    private struct Rows: Decodable {
        let prompts: [Int]
        let negatives: [[Int]]
        let rewards, weights: [Float]
    }

    private struct Document: Decodable { let rows: Rows }

    private let file: SafetensorsFile
    private let rows: Rows

    init() throws {
        file = try Goldens.file("losses")
        let text = try Data(contentsOf: Goldens.folder.appendingPathComponent("losses.json"))
        rows = try JSONDecoder().decode(Document.self, from: text).rows
    }

    private func scheduler(_ prediction: SchedulerConfiguration.PredictionType) -> SchedulerConfiguration {
        var scheduler = SchedulerConfiguration()
        (scheduler.betaStart, scheduler.betaEnd, scheduler.betaSchedule) = (0.00085, 0.012, "scaled_linear")
        scheduler.predictionType = prediction
        return scheduler
    }

    private func objective(_ name: String, _ process: (Double?) -> NoisingProcess) throws -> any TrainingObjective {
        switch name {
        case "denoise", "weighted": DenoisingObjective(process(nil))
        case "denoise-snr": DenoisingObjective(process(5))
        case "contrast": ContrastObjective(process(nil), clamp: 1)
        case "contrast-far": ContrastObjective(process(5), clamp: 1.5)
        case "dpo": PreferenceObjective(process(nil), beta: 200)
        case "dpo-strong": PreferenceObjective(process(nil), beta: 5000)
        case "nft": NegativeAwareObjective(process(nil), beta: 1)
        case "nft-near": NegativeAwareObjective(process(nil), beta: 0.3)
        default: throw TrainingSourceError("no case \(name)")
        }
    }

    private func batch(_ name: String) throws -> TrainingBatch {
        func latents(_ key: String) throws -> Tensor { try file.tensor(key).channelsLast }
        return TrainingBatch(
            latents: try latents("latents"), noise: try latents("noise"), timesteps: try file.integers("timesteps"),
            text: try file.tensor("text"), prompts: rows.prompts, weights: name == "weighted" ? rows.weights : nil,
            negatives: name.hasPrefix("contrast") ? rows.negatives : nil, losers: try latents("losers"),
            rewards: rows.rewards)
    }

    /// An adapter of alpha 3 and rank 2 with the values that PEFT drew.
    private func adapter(_ model: String, _ unet: UNet2DConditionModel) throws -> Adapter {
        let template = try Adapter(
            initializing: .lora, rank: 2, alpha: 3, targets: .attentionAndFeedForward, for: unet.linears, seed: 0)
        return template.replacing(try template.parameters.map { try file.tensor("\(model).init.\($0.name)") })
    }

    private static let models = ["sd21-mini", "sd15-mini"].flatMap { name in TestDevices.all.map { (name, $0) } }

    @Test(
        arguments: models,
        [
            "denoise", "denoise-snr", "weighted", "contrast", "contrast-far", "dpo", "dpo-strong", "nft", "nft-near",
        ])
    func lossAndGradientsAreTorchs(_ place: (model: String, device: Device), name: String) throws {
        let model = place.model
        let unet = try Goldens.unet(model, on: place.device)
        let scheduler = scheduler(model == "sd15-mini" ? .velocity : .epsilon)
        let objective = try objective(name) { NoisingProcess(scheduler, minSNR: $0) }
        let adapter = try adapter(model, unet)
        let parameters = adapter.parameters.map { Tensor.parameter($0.value) }
        let policies = Policies(
            current: Network(unet, adapters: adapter.replacing(parameters).bound(to: unet.linears)),
            reference: Network(unet))
        let batch = try batch(name)
        let loss = objective(batch, policies)
        let expected = Double(try file.tensor("\(model).\(name).loss").values[0])
        #expect(abs(Double(loss.scalar) - expected) < 1e-4 * abs(expected), "\(loss.scalar) against \(expected)")

        // In parts, as a run has it, and whole.
        let found = [
            gradients(of: loss, for: parameters),
            objective.lossAndGradients(batch, policies, parameters: parameters).gradients,
        ]
        for gradients in found {
            for (parameter, gradient) in zip(adapter.parameters, gradients) {
                let golden = try file.tensor("\(model).\(name).grad.\(parameter.name)")
                if golden.count == gradient.count {
                    #expect(relativeError(gradient.values, golden.values) < 1e-4, "\(parameter.name)")
                } else {
                    expectLike(gradient.values, golden.values, 1e-4, parameter.name)
                }
            }
        }
    }

    /// The old policy follows the trained one after every step.
    @Test func stepsOfAnOldPolicyThatFollowsAreTorchs() throws {
        let golden = try Goldens.file("nft-policy")
        let unet = try Goldens.unet("sd21-mini")
        var adapter = try adapter("sd21-mini", unet)
        let objective = NegativeAwareObjective(NoisingProcess(scheduler(.epsilon)), beta: 0.5)
        var old = OldPolicy(
            OldPolicy.Schedule(most: 0.5, rise: 0.2), values: adapter.parameters.map(\.value))
        var optimizer = AdamW(
            settings: .init(learningRate: 5e-3), shapes: adapter.parameters.map(\.value.shape))
        let batch = try batch("nft")
        let losses = try golden.tensor("losses").values
        for step in 1...losses.count {
            let parameters = adapter.parameters.map { Tensor.parameter($0.value) }
            let policies = Policies(
                current: Network(unet, adapters: adapter.replacing(parameters).bound(to: unet.linears)),
                reference: Network(unet, adapters: adapter.replacing(old.values).bound(to: unet.linears)))
            let found = objective.lossAndGradients(batch, policies, parameters: parameters)
            #expect(abs(found.loss - Double(losses[step - 1])) < 1e-4 * Double(losses[step - 1]), "step \(step)")
            let updated = optimizer.update(
                parameters.map(\.detached), gradients: found.gradients,
                clip: clipFactor(norm: globalNorm(found.gradients), limit: 1))
            adapter = adapter.replacing(updated)
            let moved = old.follow(updated, step: step)
            #expect(moved)
        }
        for (parameter, value) in zip(adapter.parameters, old.values) {
            for (label, values) in [("final", parameter.value.values), ("old", value.values)] {
                let expected = try golden.tensor("\(label).\(parameter.name)").values
                expectLike(values, expected, 1e-3, "\(label) \(parameter.name)")
            }
        }
    }

    @Test func theDecayRisesToItsLimit() {
        let authors = [OldPolicy.Schedule(), OldPolicy.Schedule(most: 0.999, rise: 0.0075, flat: 75)]
        #expect(authors.map { $0.decay(after: 1) } == [0.001, 0])
        #expect(authors.map { $0.decay(after: 75) } == [0.075, 0])
        #expect(abs(authors[1].decay(after: 76) - 0.0075) < 1e-12)
        #expect(authors.map { $0.decay(after: 5000) } == [0.5, 0.999])
        var slow = OldPolicy(OldPolicy.Schedule(most: 0.5, rise: 0.25, every: 2), values: [Tensor(zeros: [1])])
        let one = [Tensor(filled: 1, shape: [1])]
        let first = slow.follow(one, step: 1)
        #expect(!first && slow.values[0].scalar == 0)
        let second = slow.follow(one, step: 2)
        #expect(second && slow.values[0].scalar == 0.5)
    }

    @Test(arguments: TestDevices.all) func checkpointingChangesNoGradient(device: Device) throws {
        let unet = try Goldens.unet("sd21-mini", on: device)
        let adapter = try adapter("sd21-mini", unet)
        let parameters = adapter.parameters.map { Tensor.parameter($0.value) }
        let network = Network(unet, adapters: adapter.replacing(parameters).bound(to: unet.linears))
        let objective = ContrastObjective(NoisingProcess(scheduler(.epsilon)), clamp: 1)
        let batch = try batch("contrast")
        let plain = objective.lossAndGradients(batch, Policies(current: network), parameters: parameters)
        let rerun = objective.lossAndGradients(
            batch, Policies(current: network, checkpointing: true), parameters: parameters)
        #expect(plain.loss == rerun.loss)
        for (a, b) in zip(plain.gradients, rerun.gradients) { #expect(relativeError(a.values, b.values) < 1e-5) }
    }
}

/// Compares values with their length and their projection on cos 0, cos 1, …
///
/// - Parameter least: lengths below it count as this one: where a norm follows, a bias has no gradient but rounding errors.
func expectLike(_ values: [Float], _ golden: [Float], _ tolerance: Double, _ name: String, least: Double = 0) {
    let length = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    let projection = values.indices.reduce(0.0) { $0 + Double(values[$1]) * Double(cos(Float($1))) }
    let limit = tolerance * max(Double(golden[0]), least)
    #expect(abs(length - Double(golden[0])) <= limit, "\(name): \(length) against \(golden[0])")
    #expect(abs(projection - Double(golden[1])) <= limit, "\(name): \(projection) against \(golden[1])")
}
