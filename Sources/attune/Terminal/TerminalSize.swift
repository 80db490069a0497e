import Foundation

/// The size of the terminal that shows what a command prints.
enum TerminalSize {
    /// Less than this is taken for no size at all, as some terminals say 0.
    private static let narrowest = 20

    /// Columns of the terminal behind a stream: what `COLUMNS` says, or the terminal itself. Nil where there is none.
    static func columns(of descriptor: Int32) -> Int? {
        guard isatty(descriptor) == 1 else { return nil }
        if let text = ProcessInfo.processInfo.environment["COLUMNS"], let given = Int(text), given >= narrowest {
            return given
        }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, Int(size.ws_col) >= narrowest else { return nil }
        return Int(size.ws_col)
    }

    /// Whether a bar can be drawn on standard error: a terminal that moves its cursor.
    static var drawsBars: Bool {
        isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
    }
}
