import Workflows

/// Counts what a workflow tells, and stops it where a test wants.
final class Recorder: WorkMonitor {
    private(set) var total: Int?
    private(set) var reports: [Int] = []
    private(set) var warnings: [String] = []
    private(set) var questions = 0
    /// Called once, when the work first tells how far it is.
    var onUpdate: (() -> Void)?
    /// How often the work may continue.
    private let allowed: Int

    init(allowing allowed: Int = .max) { self.allowed = allowed }

    func begin(total: Int) { self.total = total }
    func update(_ done: Int) {
        reports.append(done)
        let action = onUpdate
        onUpdate = nil
        action?()
    }
    func warn(_ line: String) { warnings.append(line) }

    var isCancelled: Bool {
        questions += 1
        return questions > allowed
    }
}
