import Foundation
import Synchronization

/// How far a transfer is, told by the tasks that carry it.
final class TransferProgress: Sendable {
    private let state = Mutex<(done: Int, total: Int)>((0, 0))

    func update(_ done: Int, _ total: Int) { state.withLock { $0 = (done, total) } }

    var current: (done: Int, total: Int) { state.withLock { $0 } }
}

/// Runs a transfer beside its progress bar; ctrl-C ends it between two requests.
///
/// - Parameter divisor: what one shown unit is made of.
func transfer<Result: Sendable>(
    _ title: String, unit: String, divisor: Int = 1,
    _ body: @escaping @Sendable (TransferProgress) async throws -> Result
) async throws -> Result {
    Interruption.listen()
    let progress = TransferProgress()
    let begin = ContinuousClock.now
    let work = Task {
        defer { progress.update(-1, -1) }
        return try await body(progress)
    }
    var bar: ProgressBar?
    while progress.current.total >= 0 {
        if Interruption.isRequested { work.cancel() }
        let (done, total) = progress.current
        if total > 0 {
            let shown = bar ?? ProgressBar(title, total: total / divisor, unit: unit, since: begin)
            shown.update(done / divisor)
            bar = shown
        }
        try? await Task.sleep(for: .milliseconds(50))
    }
    bar?.finish()
    do {
        return try await work.value
    } catch  where Interruption.isRequested {
        try Interruption.stop("stopped; the same command sends or fetches the rest")
    }
}
