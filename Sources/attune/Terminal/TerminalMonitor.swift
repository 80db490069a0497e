import Workflows

/// Shows a workflow's progress on the terminal, and stops it at ctrl-C.
final class TerminalMonitor: WorkMonitor {
    private let title: String
    private let unit: String
    private var bar: ProgressBar?

    init(_ title: String, unit: String) { (self.title, self.unit) = (title, unit) }

    deinit { bar?.finish() }

    /// Runs `body` with a monitor of its own.
    static func watch<Result>(
        _ title: String, unit: String, _ body: (TerminalMonitor) throws -> Result
    ) throws -> Result {
        try body(TerminalMonitor(title, unit: unit))
    }

    func begin(total: Int) {
        Interruption.listen()
        bar = ProgressBar(title, total: total, unit: unit)
    }

    func update(_ done: Int) { bar?.update(done) }

    var isCancelled: Bool { Interruption.isRequested }

    func warn(_ line: String) { standardError(line) }
}

/// The bar of work that tells its total when it is under way, and that cannot be left half done: ctrl-C ends it where it
/// reports, which it does where nothing is half done.
final class MaintenanceBar {
    private let title: String
    private let unit: String
    private let stopped: String
    private let begin = ContinuousClock.now
    private var bar: ProgressBar?

    /// - Parameter stopped: what is said when the work is ended.
    init(_ title: String, unit: String, stopped: String) {
        (self.title, self.unit, self.stopped) = (title, unit, stopped)
    }

    func update(_ done: Int, _ total: Int) {
        if bar == nil {
            bar = ProgressBar(title, total: total, unit: unit, since: begin)
            Interruption.listen()
        }
        bar?.update(done)
        Interruption.endIfRequested(bar, stopped)
    }

    func finish() {
        bar?.finish()
        bar = nil
    }
}
