package import CorpusStore

/// What `verify` found, as it prints it.
package struct VerifyListing: Encodable {
    package struct Object: Encodable {
        package let kind, object, message: String
        package let is_missing: Bool
        package let samples, selections, runs: [String]

        init(_ damage: Damage) {
            (kind, object, message) = (damage.kind.rawValue, damage.subject, damage.message)
            is_missing = damage.code == .notFound
            samples = damage.samples.map(\.hex)
            (selections, runs) = (damage.selections, damage.runs)
        }
    }

    package struct Repair: Encodable {
        package let object, action: String
        package let lost_samples: [String]
    }

    package let shards, selections, names, runs, checkpoints, adapters: Int
    package let bytes: Int64
    package let damage: [Object]
    package let repairs: [Repair]
    package let notes: [String]

    package init(_ report: VerifyReport, _ outcomes: [RepairOutcome]) {
        (shards, selections, names) = (report.shards, report.selections, report.names)
        (runs, checkpoints, adapters) = (report.runs, report.checkpoints, report.adapters)
        bytes = report.bytes
        damage = report.damage.map { Object($0) }
        repairs = outcomes.map {
            Repair(object: $0.damage.subject, action: $0.action.rawValue, lost_samples: $0.lost.map(\.hex))
        }
        notes = report.notes
    }

    package static func lines(_ report: VerifyReport, _ outcomes: [RepairOutcome]) -> [String] {
        var lines = outcomes.map { outcome in
            let lost =
                outcome.lost.isEmpty ? "" : "; \(counted(outcome.lost.count, "sample")) lost, generate makes them again"
            return "\(outcome.action.rawValue): \(outcome.damage.subject)\(lost)"
        }
        lines += report.damage.map { "damaged: \($0)" }
        lines += report.notes.map { "note: \($0)" }
        let checked = [
            counted(report.shards, "shard"), counted(report.selections, "selection"), counted(report.names, "name"),
            counted(report.runs, "run"), counted(report.checkpoints, "checkpoint"),
            counted(report.adapters, "adapter"),
        ].joined(separator: ", ")
        let size = ByteSize(bytes: Int(report.bytes)).description
        lines.append(
            report.damage.isEmpty
                ? "OK: \(checked) (\(size))"
                : "\(counted(report.damage.count, "damaged object")) in \(checked) (\(size))")
        return lines
    }
}
