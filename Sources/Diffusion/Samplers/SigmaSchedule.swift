import Glibc

/// The noise levels σ that samplers in σ visit, and the timesteps that they belong to, as diffusers computes them.
struct SigmaSchedule {
    /// σ of every training timestep, rising.
    let table: [Double]
    private let logarithms: [Double]

    init(_ configuration: SchedulerConfiguration) {
        table = NoiseSchedule(configuration).sigmas(configuration).map(Double.init)
        logarithms = table.map { Double(Float(log($0))) }
    }

    /// σ at a timestep that may lie between two.
    func sigma(at t: Double) -> Double {
        let low = min(max(Int(t), 0), table.count - 1)
        let high = min(low + 1, table.count - 1)
        return table[low] + (table[high] - table[low]) * min(max(t - Double(low), 0), 1)
    }

    /// The timestep of a σ, by interpolating its logarithm; held within the schedule.
    func timestep(of sigma: Double) -> Double {
        let value = log(max(sigma, 1e-10))
        let above = logarithms.firstIndex { $0 > value } ?? logarithms.count
        let low = min(max(above - 1, 0), logarithms.count - 2)
        let weight = (logarithms[low] - value) / (logarithms[low] - logarithms[low + 1])
        let held = min(max(weight, 0), 1)
        return (1 - held) * Double(low) + held * Double(low + 1)
    }

    /// Whether a σ is one that the model's own schedule reaches.
    func reaches(_ sigma: Double) -> Bool { (table.first ?? 0) <= sigma && sigma <= (table.last ?? 0) * (1 + 1e-6) }

    /// Levels between two by the rule that the settings name; nil where they name none.
    ///
    /// - Parameters:
    ///   - plain: σ that would be visited without such a rule: it spans the range where the settings give none.
    static func spread(_ settings: SigmaSettings, over plain: [Double], steps: Int) -> [Double]? {
        let smallest = settings.smallest ?? plain.min() ?? 0
        let largest = settings.largest ?? plain.max() ?? 1
        let ramp = (0..<steps).map { steps > 1 ? Double($0) / Double(steps - 1) : 0 }
        if settings.karras {
            let (low, high) = (pow(smallest, 1 / 7.0), pow(largest, 1 / 7.0))
            return ramp.map { pow(high + $0 * (low - high), 7) }
        }
        if settings.exponential {
            let (low, high) = (log(smallest), log(largest))
            return ramp.map { exp(high + $0 * (low - high)) }
        }
        if settings.beta {
            // Quantiles of the beta distribution with both parameters 0.6 (arXiv 2407.12173).
            return ramp.map { smallest + BetaDistribution(0.6, 0.6).quantile(1 - $0) * (largest - smallest) }
        }
        return nil
    }

    /// The σ after the last step.
    func final(_ settings: SigmaSettings) -> Double { settings.endsAtSmallest ? table.first ?? 0 : 0 }
}
