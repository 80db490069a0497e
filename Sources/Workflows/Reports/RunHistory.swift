import Diffusion
package import Foundation

/// What a run's log says so far, read leniently: lines of kinds that this version does not know are passed over.
package struct RunHistory: Sendable {
    package struct Step: Sendable {
        package var step: Int
        package var loss, learningRate, gradientNorm: Double
        package var samples, epoch: Int
    }

    /// Of the run's first line.
    package struct Settings: Sendable {
        package var model: String?
        package var selection: String?
        package var steps: Int?
        package var values: [(name: String, value: String)] = []
    }

    package init() {}

    package var settings = Settings()
    package var steps: [Step] = []
    package var evaluations: [(step: Int, loss: Double)] = []
    package var checkpoints: [(step: Int, digest: String)] = []
    /// Steps after which the run was resumed.
    package var resumed: [Int] = []
    package var isFinished = false
    /// The line that could not be understood, from 1; nil where all could.
    package var damagedLine: Int?
    package var lines = 0

    package var step: Int { steps.last?.step ?? 0 }

    private struct Line: Decodable {
        var event: String
        var step: Int?
        var loss: Double?
        var lr: Double?
        var grad_norm: Double?
        var samples: Int?
        var epoch: Int?
        var checkpoint: String?
        var model: String?
        var selection: String?
        var configuration: [String: JSONValue]?
    }

    /// Adds whole lines of the log.
    package mutating func add(_ data: Data) {
        let decoder = JSONDecoder()
        for bytes in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
            lines += 1
            guard let line = try? decoder.decode(Line.self, from: Data(bytes)) else {
                damagedLine = damagedLine ?? lines
                continue
            }
            add(line)
        }
    }

    private mutating func add(_ line: Line) {
        switch line.event {
        case "run":
            settings.model = line.model
            settings.selection = line.selection
            settings.steps = line.configuration?["steps"]?.setting.flatMap { Int($0) }
            settings.values = (line.configuration ?? [:]).sorted { $0.key < $1.key }
                .compactMap { key, value in value.setting.map { (key, $0) } }
        case "step":
            guard let step = line.step, let loss = line.loss else { return }
            // After a resume the log may have a step again; it says the same.
            if let last = steps.last, step <= last.step { steps.removeAll { $0.step >= step } }
            steps.append(
                Step(
                    step: step, loss: loss, learningRate: line.lr ?? .nan, gradientNorm: line.grad_norm ?? .nan,
                    samples: line.samples ?? 0, epoch: line.epoch ?? 0))
        case "evaluation":
            guard let step = line.step, let loss = line.loss else { return }
            evaluations.removeAll { $0.step == step }
            evaluations.append((step, loss))
        case "checkpoint":
            guard let step = line.step, let digest = line.checkpoint else { return }
            checkpoints.append((step, digest))
        case "resumed":
            resumed.append(line.step ?? 0)
        case "finished":
            isFinished = true
        default: break
        }
    }

    /// The mean of each loss and those before it.
    package func smoothedLosses(over window: Int) -> [(x: Double, y: Double)] {
        var sum = 0.0
        return steps.indices.map { index in
            sum += steps[index].loss
            if index >= window { sum -= steps[index - window].loss }
            return (Double(steps[index].step), sum / Double(min(index + 1, window)))
        }
    }
}

extension JSONValue {
    /// As a list of settings shows it; nil for null.
    fileprivate var setting: String? {
        switch self {
        case .null: nil
        case .bool(let value): value ? "yes" : "no"
        case .number(let value): Int(exactly: value).map { String($0) } ?? String(value)
        case .integer(let value): String(value)
        case .text(let value): value
        case .list(let values): values.compactMap(\.setting).joined(separator: ", ")
        case .object(let members):
            members.sorted { $0.key < $1.key }.compactMap { key, value in value.setting.map { "\(key) \($0)" } }
                .joined(separator: ", ")
        }
    }
}
