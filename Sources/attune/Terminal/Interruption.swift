import Foundation
import Synchronization

/// Ctrl-C and SIGTERM, seen as a question that long work asks between batches.
///
/// The first signal asks the work to stop at its next batch boundary; the second ends the process at once, which loses
/// no more than a kill would: the batch in flight.
enum Interruption {
    private static let requested = Atomic<Bool>(false)

    /// Starts listening; call once before long work.
    static func listen() {
        // The handler may not be the first to touch the lazily made global.
        requested.store(false, ordering: .relaxed)
        // A parent may have started this process with the signals blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&signals, number)
            signal(number) { _ in
                if Interruption.requested.exchange(true, ordering: .relaxed) { _exit(ExitStatus.interrupted.rawValue) }
            }
        }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    static var isRequested: Bool { requested.load(ordering: .relaxed) }

    /// Ends a stopped command: says how to go on and exits with 130.
    static func stop(_ message: String) throws -> Never {
        standardError("attune: " + message)
        throw ExitStatus.interrupted.code
    }
}
