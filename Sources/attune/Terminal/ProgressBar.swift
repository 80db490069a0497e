import Foundation
import Synchronization
import Workflows

/// How far long work is: a bar with rate and remaining time on a terminal, a plain line now and then elsewhere.
///
/// It writes to standard error, so that a command's output can be piped.
package final class ProgressBar {
    private let title: String
    private let unit: String
    private let total: Int
    private let isTerminal: Bool
    private let interval: Duration
    private let clock = ContinuousClock()
    private let begin: ContinuousClock.Instant
    private var shown: ContinuousClock.Instant?
    private var hasCompleted = false
    /// Where this process began; work that an earlier one did counts as done but not towards the rate.
    private let start: Int

    /// - Parameter since: when the work began, where that was before its total was known.
    init(
        _ title: String, total: Int, unit: String, start: Int = 0, since: ContinuousClock.Instant? = nil,
        isTerminal: Bool = TerminalSize.drawsBars
    ) {
        self.title = title
        self.total = total
        self.unit = unit
        self.start = start
        self.isTerminal = isTerminal
        interval = isTerminal ? .milliseconds(100) : .seconds(10)
        begin = since ?? clock.now
    }

    /// Shows that `done` of the total is done; `note` follows the figures.
    func update(_ done: Int, note: String = "") {
        let now = clock.now
        // Elsewhere than on a terminal, work that ends within the interval is one line.
        let last = shown ?? (isTerminal ? nil : begin)
        let isComplete = done >= total && !hasCompleted
        if let last, now - last < interval, !isComplete { return }
        shown = now
        hasCompleted = done >= total
        let line = Self.line(
            title: title, done: done, start: start, total: total, unit: unit, seconds: (now - begin) / .seconds(1),
            bar: isTerminal, note: note, width: isTerminal ? TerminalSize.columns(of: STDERR_FILENO) : nil)
        if isTerminal { Self.drawn.store(true, ordering: .relaxed) }
        writeToStandardError(isTerminal ? "\r\u{1B}[K" + line : line + "\n")
    }

    /// Leaves the bar's line, so that what follows starts on its own.
    func finish() {
        if isTerminal, shown != nil { writeToStandardError("\n") }
        Self.drawn.store(false, ordering: .relaxed)
    }

    private static let drawn = Atomic<Bool>(false)

    /// Whether a bar is the last thing on the terminal, without a line end.
    static var isDrawn: Bool { drawn.load(ordering: .relaxed) }

    /// Seconds after which a rate says something: what is done at once has none.
    private static let shortest = 0.2

    /// Cells of a bar, and the fewest that say anything.
    private static let (widestBar, narrowestBar) = (24, 6)

    /// - Parameter width: of the terminal: a line that does not fit would be left behind with each update. The note goes
    ///   first, then the bar.
    package static func line(
        title: String, done: Int, start: Int, total: Int, unit: String, seconds: Double, bar: Bool, note: String,
        width: Int? = nil
    ) -> String {
        let figures = figures(done: done, start: start, total: total, unit: unit, seconds: seconds)
        // The last column stays free: some terminals wrap once it is written.
        let room = width.map { $0 - 1 } ?? .max
        let bare = ([title] + figures).joined(separator: "  ")
        let noted = note.isEmpty ? bare : bare + "  " + note
        var line = noted.count + (bar ? narrowestBar + 4 : 0) <= room ? noted : bare
        if bar {
            let cells = min(widestBar, room == .max ? widestBar : room - line.count - 4)
            if cells >= narrowestBar {
                let filled = total > 0 ? max(0, min(cells, Int(Double(cells) * Double(done) / Double(total)))) : cells
                let drawn = String(repeating: "#", count: filled) + String(repeating: "·", count: cells - filled)
                line = title + "  [" + drawn + "]" + line.dropFirst(title.count)
            }
        }
        return line.count <= room ? line : String(line.prefix(room))
    }

    private static func figures(done: Int, start: Int, total: Int, unit: String, seconds: Double) -> [String] {
        var parts: [String] = []
        parts.append("\(done)/\(total) \(unit)")
        let rate = seconds >= shortest ? Double(done - start) / seconds : 0
        if rate > 0 {
            parts.append("\(formatted(rate, digits: rate < 10 ? 2 : 1))/s")
            if done < total { parts.append("\(clockTime(Double(total - done) / rate)) to go") }
        }
        return parts
    }
}

/// `seconds` as 1:02:03 or 2:03.
func clockTime(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 360_000_000 else { return "?" }
    let whole = Int(seconds.rounded())
    let tail = String(format: "%02d", whole % 60)
    return whole >= 3600
        ? "\(whole / 3600):\(String(format: "%02d", whole / 60 % 60)):\(tail)" : "\(whole / 60):\(tail)"
}
