/// One of the workers that share a job.
///
/// ```swift
/// let found = try Worker.found(in: ProcessInfo.processInfo.environment)
/// print(found)  // part 3/8, by Kubernetes (JOB_COMPLETION_INDEX=2 JOB_COMPLETIONS=8)
/// ```
package struct Worker: Sendable, Equatable, CustomStringConvertible {
    /// Counted from 0.
    package let index: Int
    package let count: Int

    /// The most workers of a job.
    package static let most = 1_000_000_000

    package init(index: Int, count: Int) { (self.index, self.count) = (index, count) }

    /// Counted from 1, as `--part` has it.
    package var description: String { "\(index + 1)/\(count)" }

    /// Which of the workers this process is, by what its launcher has put into the environment.
    ///
    /// Asked in this order, the first that is there says it: a Slurm array's task, a Kubernetes indexed Job, Open MPI, PMI
    /// (MPICH, Intel MPI, `srun --mpi=pmi2`), RANK with WORLD_SIZE, the tasks of a Slurm step. Only variables that share a
    /// job out among several workers count: the one rank that a launcher sets inside an array's task says nothing.
    ///
    /// - Throws: ``WorkerError`` where nothing tells, or where two launchers tell different things.
    package static func found(in environment: [String: String]) throws(WorkerError) -> FoundWorker {
        var found: [FoundWorker] = []
        for variables in WorkerVariables.all {
            let values = WorkerVariables.Values(launcher: variables.launcher, environment: environment)
            guard values[variables.key] != nil else { continue }
            if variables.isOuter, found.contains(where: { $0.worker.count > 1 }) { continue }
            let worker = try variables.worker(values)
            let said = variables.names.compactMap { name in values[name].map { "\(name)=\($0)" } }
            found.append(FoundWorker(worker: worker, launcher: variables.launcher, variables: said))
        }
        guard let first = found.first else {
            throw WorkerError(
                "--part auto: no scheduler says which part this is; run it under Slurm, Kubernetes or MPI (docs/cluster.md), or "
                    + "give --part i/n")
        }
        let several = found.filter { $0.worker.count > 1 }
        guard let best = several.first else { return first }
        if let other = several.first(where: { $0.worker != best.worker }) {
            throw WorkerError(
                "--part auto: \(best.variables.joined(separator: " ")) say part \(best.worker), "
                    + "\(other.variables.joined(separator: " ")) say \(other.worker); "
                    + "unset what another launcher left behind, or give the part as --part i/n")
        }
        return best
    }
}

/// A worker, and how it was found.
package struct FoundWorker: Sendable, Equatable, CustomStringConvertible {
    package let worker: Worker
    package let launcher: String
    /// As `NAME=value`.
    package let variables: [String]

    package var description: String { "part \(worker), by \(launcher) (\(variables.joined(separator: " ")))" }
}

/// Why it is not known which worker this is: one line.
package struct WorkerError: Error, CustomStringConvertible, Equatable {
    package let description: String

    package init(_ description: String) { self.description = description }
}
