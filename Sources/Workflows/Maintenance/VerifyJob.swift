package import CorpusStore

/// What `attune verify` does: checks a corpus, and repairs it where asked to.
package struct VerifyJob: Sendable {
    package let options: VerifyOptions
    /// Nil only to look.
    package var repairer: Repairer?
    /// A corpus's folder, or what `pull` takes, that may have what is damaged; for ``repairer``.
    package var source: String?

    package init(options: VerifyOptions) { self.options = options }

    /// - Parameters:
    ///   - progress: called with the bytes read and those to read.
    ///   - willRepair: called before a repair, which cannot be stopped half way.
    /// - Returns: what is damaged at the end, and what was done about damage before.
    /// - Throws: what a repair throws. Damage is no error.
    package func run(
        _ corpus: Corpus, progress: @escaping (_ done: Int64, _ total: Int64) -> Void, willRepair: () -> Void = {}
    ) async throws -> (report: VerifyReport, outcomes: [RepairOutcome]) {
        let report = corpus.check(options, progress: progress)
        guard let repairer, !report.damage.isEmpty else { return (report, []) }
        willRepair()
        let outcomes = try await repairer.run(report.damage, from: source)
        return (corpus.check(), outcomes)
    }
}
