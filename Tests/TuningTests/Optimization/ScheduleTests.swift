import Foundation
import Tensors
import Testing
import Tuning

/// Learning rates and moving averages as diffusers computes them (make_loss_goldens.py).
@Suite struct ScheduleTests {
    private struct Document: Decodable {
        struct Schedule: Decodable {
            let shape: LearningRateSchedule.Shape
            let warmup, steps: Int
            let factors: [Double]
        }

        struct Average: Decodable {
            let decay: Double
            let inputs, values: [Float]
        }

        let schedules: [Schedule]
        let averages: [Average]
    }

    private func document() throws -> Document {
        try JSONDecoder().decode(
            Document.self, from: Data(contentsOf: Goldens.folder.appendingPathComponent("losses.json")))
    }

    @Test func learningRatesAreDiffusers() throws {
        let cases = try document().schedules
        #expect(cases.count == 6)
        for known in cases {
            let schedule = LearningRateSchedule(known.shape, warmup: known.warmup)
            for (step, factor) in known.factors.enumerated() {
                #expect(abs(schedule.factor(step, of: known.steps) - factor) < 1e-12, "\(known) at \(step)")
            }
        }
    }

    @Test func movingAveragesAreDiffusers() throws {
        for known in try document().averages {
            var average = MovingAverage(decay: known.decay, values: [Tensor(shape: [1], values: [0])])
            for (index, value) in known.inputs.enumerated() {
                average.add([Tensor(shape: [1], values: [value])], step: index + 1)
                #expect(abs(average.values[0].values[0] - known.values[index]) < 1e-5)
            }
        }
    }
}
