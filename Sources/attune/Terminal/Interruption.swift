import Foundation
import Synchronization

/// Ctrl-C, SIGTERM and SIGHUP.
///
/// Long work asks between batches whether it is to stop, once it has called ``listen()``. Until then, and at the second
/// signal, the process ends at once: it loses no more than a kill would, which is the batch in flight.
enum Interruption {
    private static let requested = Atomic<Bool>(false)
    private static let isAsked = Atomic<Bool>(false)

    /// Takes over the signals; called once, at the start.
    static func begin() {
        // The handler may not be the first to touch the lazily made globals.
        requested.store(false, ordering: .relaxed)
        isAsked.store(false, ordering: .relaxed)
        // A parent may have started this process with the signals blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            sigaddset(&signals, number)
            let before = signal(number) { _ in Interruption.handle() }
            // nohup: the work outlives its terminal.
            if number == SIGHUP, isIgnored(before) { signal(number, SIG_IGN) }
        }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// From here on the work asks ``isRequested``, and the first signal leaves it time to stop.
    ///
    /// - Parameter isAsked: false where work begins that cannot ask.
    static func listen(_ isAsked: Bool = true) { Self.isAsked.store(isAsked, ordering: .relaxed) }

    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Ends a stopped command: says how to resume and exits with 130.
    static func stop(_ message: String) throws -> Never {
        standardError("attune: " + message)
        throw ExitStatus.interrupted.code
    }

    /// Ends the command here if it is to stop: for work that cannot be left half done and tells how far it is at points
    /// where nothing is.
    static func endIfRequested(_ bar: ProgressBar?, _ message: String) {
        guard isRequested else { return }
        bar?.finish()
        standardError("attune: " + message)
        StandardOutput.flush()
        // Not exit(3), which takes libraries down while other threads are still in them.
        _exit(ExitStatus.interrupted.rawValue)
    }

    /// In a signal handler: no locks, no memory.
    private static func handle() {
        if isAsked.load(ordering: .relaxed), !requested.exchange(true, ordering: .relaxed) { return }
        let words: StaticString = "attune: interrupted\n"
        _ = write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
        _exit(ExitStatus.interrupted.rawValue)
    }

    private static func isIgnored(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
