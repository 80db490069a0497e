import Diffusion
import Foundation
import Tensors
import Testing

/// Against PyTorch, diffusers and scipy (Tests/Goldens/make_error_goldens.py).
@Suite("Denoising errors of tiny-sd", .serialized)
struct DenoisingErrorTests {
    private struct Golden: Decodable {
        let prompts: [String]
        let timesteps: [Int]
        let draws: Int
        let seed: UInt64
        let latent, errors: [Float]
        let deltas: [[Float]]
        let contrast, contrast_mean, contrast_hard, pointwise: Double

        var values: DenoisingErrors {
            DenoisingErrors(timesteps: timesteps, draws: draws, prompts: prompts.count, values: errors)
        }
    }

    private let golden: Golden
    private let model: DiffusionModel

    init() throws {
        golden = try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: Goldens.folder.appending(path: "errors.json")))
        model = try DiffusionModel.load(from: Goldens.tinySD)
    }

    private func meter(negatives: [String], draws: Int) -> ErrorMeter {
        ErrorMeter(
            model, prompt: model.encode(prompts: [golden.prompts[0]])[0], negatives: model.encode(prompts: negatives),
            timesteps: golden.timesteps, draws: draws, seed: golden.seed)
    }

    @Test func errorsAreThoseOfPyTorch() throws {
        let measured = try meter(negatives: Array(golden.prompts[2...]), draws: golden.draws).measure(
            latent: Tensor(shape: [4, 16, 16], values: golden.latent))
        #expect(measured.errors.timesteps == golden.timesteps && measured.errors.prompts == 4)
        #expect(relativeError(measured.errors.values, golden.errors) < 1e-4)
        for (trace, expected) in zip(measured.draws, golden.deltas) {
            #expect(relativeError(trace.deltaSquared, expected) < 1e-3)
        }
    }

    @Test func aPromptsErrorDoesNotDependOnTheOthers() throws {
        let latent = Tensor(shape: [4, 16, 16], values: golden.latent)
        let alone = try meter(negatives: [], draws: 1).measure(latent: latent).errors
        // So many that they pass through the UNet in several groups.
        let many = try meter(negatives: Array(repeating: golden.prompts[3], count: 140), draws: 1)
            .measure(latent: latent).errors
        for step in golden.timesteps.indices {
            let (a, b) = (alone.values[step * 2..<step * 2 + 2], many.values[step * 142..<step * 142 + 142])
            #expect(relativeError(Array(a), Array(b.prefix(2))) < 1e-4)
            #expect((b.dropFirst(2).max() ?? 0) - (b.dropFirst(2).min() ?? 0) < 1e-3 * (b.max() ?? 0))
        }
    }

    @Test func estimatesAreThoseOfScipy() {
        let (errors, schedule) = (golden.values, model.schedule)
        func isNear(_ value: Double, _ expected: Double) -> Bool {
            abs(value - expected) < 1e-4 * max(abs(expected), 0.1)
        }
        #expect(
            isNear(
                ContrastEstimator(temperature: 0.5, pooling: .draw).estimate(errors, schedule: schedule).value,
                golden.contrast))
        #expect(
            isNear(
                ContrastEstimator(temperature: 0.5, pooling: .mean).estimate(errors, schedule: schedule).value,
                golden.contrast_mean))
        #expect(isNear(HardContrastEstimator().estimate(errors, schedule: schedule).value, golden.contrast_hard))
        #expect(isNear(PointwiseEstimator().estimate(errors, schedule: schedule).value, golden.pointwise))
    }

    @Test func settingsChooseWhatCounts() {
        let (errors, schedule) = (golden.values, model.schedule)
        func pointwise(_ range: ErrorRange) -> Double {
            PointwiseEstimator(range: range).estimate(errors, schedule: schedule).value
        }
        // Draw 0 at t = 801 alone.
        let first = Double(golden.errors[1]) - Double(golden.errors[0])
        #expect(abs(pointwise(ErrorRange(above: 600, draws: 1)) - first) < 1e-9)
        #expect(
            abs(pointwise(ErrorRange(above: 600, weight: .kappa, draws: 1)) - first) < 1e-9, "one weight has mean 1")
        #expect(pointwise(ErrorRange(above: 900)).isNaN)
        let one = ContrastEstimator(range: ErrorRange(negatives: 1)).estimate(errors, schedule: schedule).value
        #expect(one > ContrastEstimator().estimate(errors, schedule: schedule).value, "fewer near misses to lose to")
        #expect(ContrastEstimator(range: ErrorRange(negatives: 0)).estimate(errors, schedule: schedule).value.isNaN)
    }

    @Test func whatIsClearlyWorseIsSettled() {
        // Three images at four timesteps: the prompt's error is lower by 2, by 1.9 and not at all.
        func image(_ gains: [Float]) -> DenoisingErrors {
            DenoisingErrors(
                timesteps: [900, 700, 500, 300], draws: 1, prompts: 3, values: gains.flatMap { [10 - $0, 10, 10] })
        }
        let images = [image([2, 2.2, 1.8, 2]), image([1.9, 1.6, 2.2, 1.9]), image([0, 0.1, -0.1, 0])]
        let rule = SuccessiveElimination(keep: 1, estimator: ContrastEstimator(temperature: 2))
        #expect(rule.settled(images, schedule: model.schedule) == [2])
        #expect(SuccessiveElimination(keep: 3).settled(images, schedule: model.schedule).isEmpty)
        // Of the same contrast, and twice as unlikely under every prompt.
        let likely = image([1, 1.1, 0.9, 1])
        let unlikely = DenoisingErrors(
            timesteps: likely.timesteps, draws: 1, prompts: 3, values: likely.values.map { $0 + 10 })
        let pair = [unlikely, likely]
        #expect(rule.settled(pair, schedule: model.schedule).isEmpty)
        let byBoth = SuccessiveElimination(keep: 1, estimator: ContrastEstimator(temperature: 2, errorWeight: 0.3))
        #expect(byBoth.settled(pair, schedule: model.schedule) == [0])
        let few = images.map { _ in DenoisingErrors(timesteps: [900], draws: 1, prompts: 3, values: [1, 2, 3]) }
        #expect(rule.settled(few, schedule: model.schedule).isEmpty)
        #expect(SuccessiveElimination.spread(6) == [0, 4, 2, 1, 5, 3])
    }

    @Test func whatIsNotFiniteIsLeftOut() {
        var values: [Float] = [1, 2, 3, 5, 6, 7]
        func errors() -> DenoisingErrors {
            DenoisingErrors(timesteps: [800, 400], draws: 1, prompts: 3, values: values)
        }
        #expect(PointwiseEstimator().estimate(errors(), schedule: model.schedule).value == 1)
        values[2] = .nan
        values[0] = 0
        #expect(PointwiseEstimator().estimate(errors(), schedule: model.schedule).value == 1)
        // Large errors overflow nothing.
        values = [1e6, 0, 0, 0, 0, 0]
        let soft = ContrastEstimator(range: ErrorRange(above: 600)).estimate(errors(), schedule: model.schedule).value
        #expect(abs(soft + 4e6) < 1e-3)
    }
}
