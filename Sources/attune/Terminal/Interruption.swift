import ArgumentParser
import Foundation
import Synchronization

/// Why a command is to stop: Ctrl-C, what a scheduler sends, or the end of its time.
///
/// Long work asks between batches whether it is to stop, once it has called ``listen()``. Until then, and at a second
/// Ctrl-C, the process ends at once: it loses no more than a kill would, which is the batch in flight.
enum Interruption {
    private static let requested = Atomic<Int32>(0)
    private static let isAsked = Atomic<Bool>(false)
    /// When the command stops by itself, in seconds of the monotonic clock; 0 for never.
    private static let deadline = Atomic<Int>(0)
    private static let begun = Atomic<Int>(0)

    /// Seconds after SIGTERM in which work reaches a safe point or ends where it is. Slurm and Kubernetes kill what is left
    /// after 30: what ends before leaves with a status that says so.
    private static let grace: UInt32 = 25

    /// Takes over the signals; called once, at the start.
    static func begin() {
        // The handler may not be the first to touch the lazily made globals.
        requested.store(0, ordering: .relaxed)
        isAsked.store(false, ordering: .relaxed)
        deadline.store(0, ordering: .relaxed)
        begun.store(now, ordering: .relaxed)
        // A parent may have started this process with the signals blocked.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM] {
            sigaddset(&signals, number)
            let before = signal(number) { Interruption.handle($0) }
            // nohup: the work outlives its terminal.
            if number == SIGHUP, isIgnored(before) { signal(number, SIG_IGN) }
        }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// From here on the work asks ``isRequested``, and the first signal leaves it time to stop.
    ///
    /// - Parameter isAsked: false where work begins that cannot ask.
    static func listen(_ isAsked: Bool = true) { Self.isAsked.store(isAsked, ordering: .relaxed) }

    /// Stops the command at the first safe point so long after it was started.
    static func stop(after seconds: TimeInterval) {
        deadline.store(begun.load(ordering: .relaxed) + max(Int(seconds.rounded(.up)), 1), ordering: .relaxed)
    }

    static var isRequested: Bool { requested.load(ordering: .relaxed) != 0 || isLate }

    private static var isLate: Bool {
        let deadline = deadline.load(ordering: .relaxed)
        return deadline != 0 && now >= deadline
    }

    /// Who stops a command at the keyboard means it; what a scheduler or a time limit stopped is to be run again.
    private static func status(_ signal: Int32) -> ExitStatus {
        signal == SIGINT || signal == SIGHUP ? .interrupted : .again
    }

    /// What a stopped command exits with.
    static var status: ExitStatus { status(requested.load(ordering: .relaxed)) }

    /// Ends a stopped command: says how to resume, and exits with the status of what stopped it.
    static func stop(_ message: String) throws -> Never {
        let signal = requested.load(ordering: .relaxed)
        standardError("attune: " + (signal == 0 && isLate ? "time limit: " : "") + message)
        throw status.code
    }

    /// Ends the command here if it is to stop: for work that cannot be left half done and tells how far it is at points
    /// where nothing is.
    static func endIfRequested(_ bar: ProgressBar?, _ message: String) {
        guard isRequested else { return }
        bar?.finish()
        standardError("attune: " + message)
        StandardOutput.flush()
        // Not exit(3), which takes libraries down while other threads are still in them.
        _exit(status.rawValue)
    }

    /// In a signal handler: no locks, no memory.
    private static func handle(_ number: Int32) {
        if number == SIGALRM {
            say(
                "attune: stopped within a batch, which would have taken too long; what was done before is kept, the same command resumes\n"
            )
            _exit(ExitStatus.again.rawValue)
        }
        if isAsked.load(ordering: .relaxed) {
            let (isFirst, _) = requested.compareExchange(expected: 0, desired: number, ordering: .relaxed)
            if isFirst {
                if number == SIGTERM { alarm(grace) }
                return
            }
            // Schedulers repeat theirs, to the job, its steps and its processes.
            if number == SIGTERM || number == SIGUSR1 {
                if number == SIGTERM, requested.load(ordering: .relaxed) == SIGUSR1 { alarm(grace) }
                return
            }
        }
        say("attune: interrupted\n")
        _exit(status(number).rawValue)
    }

    private static func say(_ words: StaticString) {
        _ = write(STDERR_FILENO, words.utf8Start, words.utf8CodeUnitCount)
    }

    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    private static func isIgnored(_ handler: (@convention(c) (Int32) -> Void)?) -> Bool {
        unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
