import Foundation

/// Where calls that touch the disk ask whether a test wants them to fail.
///
/// The hook is in every build, so that what is tested is what is shipped. Without a plan it costs a load and a
/// comparison beside a system call.
package enum Faults {
    /// The plan of the environment variable ATTUNE_FAULT, read once; a test can set its own for a task.
    @TaskLocal package static var plan: FaultPlan? = ProcessInfo.processInfo.environment["ATTUNE_FAULT"].flatMap {
        FaultPlan($0)
    }

    /// What is to go wrong now; nil outside tests.
    ///
    /// - Parameters:
    ///   - point: the call that is about to be made.
    ///   - path: the file that it is made on.
    ///   - tear: leaves the call half done where the process is to die in it.
    package static func next(_ point: FaultPoint, _ path: String, tear: () -> Void = {}) -> Fault? {
        guard let plan else { return nil }
        return plan.pass(point, path, tear: tear)
    }

    /// For points that are not calls of the operating system, such as a commit.
    package static func pass(_ point: FaultPoint, _ path: String) throws(DiskError) {
        if case .error(let code) = next(point, path) { throw DiskError("cannot be written", path, code) }
    }
}
