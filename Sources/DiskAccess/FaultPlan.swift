import Synchronization

import Glibc

/// What a test wants to go wrong, counted in passages of a point by this process.
///
/// A plan is written `point:n:action`. The point is one of ``FaultPoint``, or `any`, or `look` for opening, `stat` and
/// listing folders, or `change` for the calls that change something; n counts from 1; the action is `kill`
/// (the process dies as by SIGKILL, before the call; a write is torn), `fail` (this one call gives an input/output
/// error), an error's name such as `EACCES` (this one call fails with it), `broken` (this call and all later ones
/// fail), `full` (from here on there is no space) or `short` (from here on reads and writes move one byte less than
/// half of what was asked). `trace:FILE` lets nothing fail and writes a line for each passage.
package final class FaultPlan: Sendable {
    package enum Action: String, Sendable, CaseIterable {
        case kill, fail, broken, full, short
    }

    private enum Kind {
        case trace(descriptor: Int32)
        case act(Set<FaultPoint>, at: Int, Action, code: Int32)
    }

    private let kind: Kind
    private let passages = Mutex(0)

    /// Passages so far.
    package var count: Int { passages.withLock { $0 } }

    /// - Parameters:
    ///   - point: nil for any.
    ///   - passage: which passage of the point, counted from 1.
    ///   - action: what happens there.
    package init(_ point: FaultPoint?, _ passage: Int, _ action: Action) {
        kind = .act(point.map { [$0] } ?? Set(FaultPoint.allCases), at: passage, action, code: EIO)
    }

    /// One call of some kinds fails with an error number.
    package init(_ points: Set<FaultPoint>, _ passage: Int, code: Int32) {
        kind = .act(points, at: passage, .fail, code: code)
    }

    /// The errors that a plan can name.
    private static let codes: [String: Int32] = [
        "EIO": EIO, "EACCES": EACCES, "EPERM": EPERM, "EMFILE": EMFILE, "ENFILE": ENFILE, "ELOOP": ELOOP,
        "ENOSPC": ENOSPC, "EROFS": EROFS, "ENOENT": ENOENT, "ESTALE": ESTALE,
    ]

    /// Nil for a text that is not a plan.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 2).map(String.init)
        if parts.count >= 2, parts[0] == "trace" {
            let descriptor = Self.openTrace(parts.dropFirst().joined(separator: ":"))
            guard descriptor >= 0 else { return nil }
            kind = .trace(descriptor: descriptor)
            return
        }
        guard parts.count == 3, let passage = Int(parts[1]), let points = Self.points(parts[0]) else { return nil }
        let code = Self.codes[parts[2]]
        guard let action = code == nil ? Action(rawValue: parts[2]) : .fail else { return nil }
        kind = .act(points, at: passage, action, code: code ?? EIO)
    }

    private static func points(_ name: String) -> Set<FaultPoint>? {
        switch name {
        case "any": Set(FaultPoint.allCases)
        case "change": Set(FaultPoint.allCases).subtracting(FaultPoint.looking)
        case "look": FaultPoint.looking.subtracting([.read])
        default: FaultPoint(rawValue: name).map { [$0] }
        }
    }

    private static func openTrace(_ path: String) -> Int32 {
        Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    }

    /// What is to go wrong at this passage; nil for nothing. Does not return where the process is to die.
    ///
    /// - Parameter tear: called before the process dies, to leave a write half done.
    func pass(_ point: FaultPoint, _ path: String, tear: () -> Void) -> Fault? {
        switch kind {
        case .trace(let descriptor):
            var line = "\(point.rawValue) \(path)\n"
            line.withUTF8 { _ = append(descriptor, $0) }
            return nil
        case .act(let points, let at, let action, let code):
            guard points.contains(point) else { return nil }
            let passage = passages.withLock { count in
                count += 1
                return count
            }
            return Self.fault(action, passage, at, point, code, tear)
        }
    }

    private static func fault(
        _ action: Action, _ passage: Int, _ at: Int, _ point: FaultPoint, _ code: Int32, _ tear: () -> Void
    ) -> Fault? {
        switch action {
        case .kill:
            guard passage == at else { return nil }
            tear()
            kill(getpid(), SIGKILL)
            // The signal is on its way.
            while true { pause() }
        case .fail: return passage == at ? .error(code) : nil
        case .broken: return passage >= at ? .error(EIO) : nil
        case .full:
            let takesSpace = [.create, .write, .folder, .commit].contains(point)
            return passage >= at && takesSpace ? .error(ENOSPC) : nil
        case .short: return passage >= at && (point == .read || point == .write) ? .short : nil
        }
    }
}

private func append(_ descriptor: Int32, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
