import Foundation
import Synchronization

/// Standard input, output and error. One that is closed, full or gone never ends the work that writes to it.
enum StandardStreams {
    /// Call before any file is opened.
    static func prepare() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            // A file that is opened gets the lowest free number: without this, the next one would take the place of the
            // closed stream, and what is printed would end up in it.
            _ = open("/dev/null", O_RDWR)
        }
        // A reader that goes away is an error of the write. Progress that nobody reads must not end a training run.
        signal(SIGPIPE, SIG_IGN)
        // A file that may not grow any further is an error of the write, as a full disk is.
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Writes all bytes.
    ///
    /// - Returns: 0, or the error number of the write that failed.
    fileprivate static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let written = Foundation.write(descriptor, start, rest.count)
            if written >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
            } else if errno == EAGAIN {
                // Whoever shares the terminal or pipe has made it non-blocking.
                var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&state, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}

/// Standard output. What cannot be written makes the command fail at its end; a reader that has gone ends it quietly.
enum StandardOutput {
    private struct State {
        var buffer: [UInt8] = []
        var failure: Int32 = 0
    }

    private static let state = Mutex(State())
    private static let bufferSize = 1 << 16

    /// Takes text for standard output, and writes it when there is enough of it.
    static func write(_ text: String) {
        let isFull = state.withLock { state in
            if state.failure == 0 { state.buffer.append(contentsOf: text.utf8) }
            return state.buffer.count >= bufferSize
        }
        if isFull { flush() }
    }

    /// Writes what was taken.
    ///
    /// - Returns: 0, or the error number of the write that failed.
    @discardableResult
    static func flush() -> Int32 {
        let failure = state.withLock { state in
            if !state.buffer.isEmpty {
                state.failure = state.buffer.withUnsafeBytes { StandardStreams.write($0, to: STDOUT_FILENO) }
                state.buffer = []
            }
            return state.failure
        }
        if failure == EPIPE { endAsAFilter() }
        return failure
    }

    /// What is wrong with standard output, after all of it was written.
    static func problem() -> String? {
        let failure = flush()
        return failure == 0 ? nil : String(cString: strerror(failure))
    }

    /// Ends as programs do whose reader has what it wants (`attune query … | head`).
    private static func endAsAFilter() -> Never {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        _exit(128 + SIGPIPE)
    }
}

/// Prints a line on standard output, in place of the standard library's function, which hides that it failed.
func print(_ text: String) { StandardOutput.write(text + "\n") }

/// Writes to standard error, as far as it takes anything.
func writeToStandardError(_ text: String) {
    var text = text
    text.withUTF8 { _ = StandardStreams.write(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
}

/// Writes a line to standard error; a bar that is drawn there makes way for it.
func standardError(_ line: String) { writeToStandardError((ProgressBar.isDrawn ? "\r\u{1B}[K" : "") + line + "\n") }
