/// Watches long work: it is told how far the work is, and says at batch boundaries whether the work is to stop.
///
/// The command shows a progress bar and asks for signals; tests count, and stop where they want.
package protocol WorkMonitor {
    /// The work begins. From here on it asks ``isCancelled`` at every batch boundary.
    ///
    /// - Parameter total: of what it counts, such as images.
    func begin(total: Int)

    /// - Parameter done: what is done of the total, the batch in progress counted by its steps.
    func update(_ done: Int)

    var isCancelled: Bool { get }

    /// - Parameter line: what the user should know, while the work is running.
    func warn(_ line: String)
}

/// What work in batches has come to.
package struct WorkOutcome: Equatable, Sendable {
    /// What was asked for, in all.
    package var total = 0
    package var made = 0
    /// What was already present.
    package var skipped = 0
    /// What came out without finite numbers, and was not kept.
    package var failed = 0
    /// False if the work was stopped at a batch boundary. The same call makes the rest.
    package var isFinished = true
    /// Where candidates are given up before they are finished: what that saved.
    package var forwards: Forwards?

    package init(total: Int = 0) { self.total = total }
}
