import Glibc

/// The noise levels that multistep solvers of the diffusion ODE go through: α, σ and half the log SNR of each.
struct SolverSteps {
    let timesteps: [Float]
    /// Of the standard form z = α·x + σ·ε; one more than there are timesteps.
    let levels: [Level]

    struct Level {
        let alpha, sigma, lambda: Double

        /// - Parameter ratio: σ/α.
        init(ratio: Double) {
            let ratio = Double(Float(ratio))
            alpha = 1 / (ratio * ratio + 1).squareRoot()
            sigma = ratio * alpha
            lambda = log(alpha) - log(sigma)
        }
    }

    /// - Parameter usesSolverSettings: whether uniform steps of log SNR and a bound on it are followed, as DPM-Solver
    ///   does and UniPC does not.
    init(_ configuration: SchedulerConfiguration, steps: Int, usesSolverSettings: Bool) {
        let settings = configuration.sigmas
        let schedule = SigmaSchedule(configuration)
        let total = configuration.trainTimesteps
        let bound = usesSolverSettings ? configuration.solver.smallestLambda : -.infinity
        // λ falls as t rises: timesteps past the bound are left out.
        let last = total - schedule.table.count { Level(ratio: $0).lambda < bound }
        var visited: [Double]
        switch configuration.timestepSpacing ?? .linspace {
        case .linspace:
            let step = Double(last - 1) / Double(steps)
            visited = (1...steps).reversed().map { (Double($0) * step).rounded(.toNearestOrEven) }
        case .leading:
            let stride = last / (steps + 1)
            visited = (1...steps).reversed().map { Double($0 * stride + configuration.stepsOffset) }
        case .trailing:
            let stride = Double(total) / Double(steps)
            visited = (0..<steps).map { (Double(last) - Double($0) * stride).rounded(.toNearestOrEven) - 1 }
                .filter { $0 >= 0 }
        }
        visited = visited.map { min($0, Double(total - 1)) }
        var ratios = visited.map(schedule.sigma)
        let isRounded = configuration.betaSchedule != "squaredcos_cap_v2"
        if let spread = SigmaSchedule.spread(settings, over: schedule.table, steps: steps) {
            ratios = spread
            visited = spread.map(schedule.timestep)
            if settings.karras, isRounded || !usesSolverSettings {
                visited = visited.map { $0.rounded(.toNearestOrEven) }
            }
        } else if settings.lu, usesSolverSettings {
            let (high, low) = (log(schedule.table[total - 1]), log(schedule.table[0]))
            ratios = (0..<steps).map { exp(high + (steps > 1 ? Double($0) / Double(steps - 1) : 0) * (low - high)) }
            visited = ratios.map(schedule.timestep)
            if isRounded { visited = visited.map { $0.rounded(.toNearestOrEven) } }
        }
        timesteps = visited.map { Float(Int($0)) }
        // UniPC ends spread levels at the last of them.
        let isSpread = settings.karras || settings.exponential || settings.beta
        let end =
            settings.endsAtSmallest && isSpread && !usesSolverSettings
            ? ratios.last ?? 0 : schedule.final(settings)
        levels = (ratios + [end]).map(Level.init)
    }
}
