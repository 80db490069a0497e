import ArgumentParser
import Tuning

/// How the learning rate goes, and which weights a run gives.
struct OptimizationOptions: ParsableArguments {
    @Option(name: .customLong("lr"), help: "Learning rate.")
    var learningRate = 1e-4
    @Option(
        name: .customLong("lr-schedule"),
        help: "Learning-rate schedule: constant, or linear or cosine down to zero at the last step.")
    var schedule = LearningRateSchedule.Shape.constant
    @Option(help: ArgumentHelp("Steps in which the learning rate rises from zero.", valueName: "steps"))
    var warmup = 0
    @Option(
        help: ArgumentHelp(
            "Give the moving average of the weights with this decay, such as 0.999; the last step's go to raw/ beside it.",
            valueName: "decay"))
    var ema: Double?

    func apply(to settings: inout TrainingConfiguration) {
        settings.optimizer.learningRate = learningRate
        settings.schedule =
            schedule == .constant && warmup == 0 ? nil : LearningRateSchedule(schedule, warmup: warmup)
        settings.averageDecay = ema
    }
}

extension LearningRateSchedule.Shape: ExpressibleByArgument {}
