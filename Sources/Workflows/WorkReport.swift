/// What work in batches came to, as `--json` prints it (schemas/output/work.schema.json).
package struct WorkReport: Encodable, Sendable {
    package let total, made, present, failed: Int
    /// Only where candidates were given up before they were finished.
    package let forwards: Forwards?

    package init(_ outcome: WorkOutcome) {
        (total, made, present, failed) = (outcome.total, outcome.made, outcome.skipped, outcome.failed)
        forwards = outcome.forwards
    }
}
