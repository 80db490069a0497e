import Foundation

/// When to kill a command: at any moment of its run, the length of which follows the machine's speed.
///
/// A span that was measured while others used the machine is too long later: most runs would then end before their kill.
struct KillMoments {
    private var span: Double

    /// - Parameter duration: of an undisturbed run, in seconds.
    init(duration: Double) { span = duration * 1.1 }

    func wait() { Thread.sleep(forTimeInterval: Double.random(in: 0...span)) }

    mutating func take(wasKilled: Bool) { span *= wasKilled ? 1.02 : 0.9 }
}
