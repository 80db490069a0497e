/// The environment variables in which a launcher tells a process which of its workers it is.
struct WorkerVariables: Sendable {
    /// In messages.
    let launcher: String
    /// Presence of this one says that the launcher speaks.
    let key: String
    /// All of them, the key first.
    let names: [String]
    /// Whether another launcher may have been started by it, whose workers then count.
    var isOuter = false
    let worker: @Sendable (Values) throws(WorkerError) -> Worker

    /// In the order in which they are asked: what says most clearly that a job is shared out first. A Slurm step comes last,
    /// since `mpirun` and others are started in one.
    static let all = [slurmArray, kubernetes, openMPI, pmi, torch, slurmProcess]

    private static let slurmArray = WorkerVariables(
        launcher: "Slurm array", key: "SLURM_ARRAY_TASK_ID",
        names: [
            "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_STEP",
            "SLURM_ARRAY_TASK_COUNT",
        ]
    ) { values throws(WorkerError) in
        let id = try values.number("SLURM_ARRAY_TASK_ID")
        let first = try values.number("SLURM_ARRAY_TASK_MIN")
        let last = try values.number("SLURM_ARRAY_TASK_MAX")
        let step = try values.number("SLURM_ARRAY_TASK_STEP", 1, atLeast: 1)
        guard first <= id, id <= last else {
            throw values.contradiction("SLURM_ARRAY_TASK_ID is \(id), which is not from \(first) to \(last)")
        }
        guard (id - first) % step == 0 else {
            throw values.contradiction(
                "SLURM_ARRAY_TASK_ID is \(id), which is not reached from \(first) in steps of \(step)")
        }
        let count = (last - first) / step + 1
        let stated = try values.number("SLURM_ARRAY_TASK_COUNT", count, atLeast: 1)
        guard stated == count else {
            // A list such as 1,2,7: the tasks' places in it are not told.
            throw WorkerError(
                "SLURM_ARRAY_TASK_COUNT is \(stated), and \(first) to \(last) in steps of \(step) are \(count): "
                    + "give the array as a range (--array=1-\(stated)), or the part as --part i/n")
        }
        return Worker(index: (id - first) / step, count: count)
    }

    private static let kubernetes = WorkerVariables(
        launcher: "Kubernetes indexed Job", key: "JOB_COMPLETION_INDEX",
        names: ["JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"]
    ) { values throws(WorkerError) in
        guard values["JOB_COMPLETIONS"] != nil else {
            throw WorkerError(
                "JOB_COMPLETION_INDEX is set and JOB_COMPLETIONS is not, which Kubernetes does not set by itself: "
                    + "set it to the Job's completions in the container's env")
        }
        return try values.worker("JOB_COMPLETION_INDEX", of: "JOB_COMPLETIONS")
    }

    private static let openMPI = WorkerVariables(
        launcher: "Open MPI", key: "OMPI_COMM_WORLD_RANK", names: ["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"]
    ) { values throws(WorkerError) in
        try values.worker("OMPI_COMM_WORLD_RANK", of: "OMPI_COMM_WORLD_SIZE")
    }

    private static let pmi = WorkerVariables(
        launcher: "PMI", key: "PMI_RANK", names: ["PMI_RANK", "PMI_SIZE"]
    ) { values throws(WorkerError) in try values.worker("PMI_RANK", of: "PMI_SIZE") }

    private static let torch = WorkerVariables(
        launcher: "RANK and WORLD_SIZE", key: "WORLD_SIZE", names: ["RANK", "WORLD_SIZE"]
    ) { values throws(WorkerError) in try values.worker("RANK", of: "WORLD_SIZE") }

    private static let slurmProcess = WorkerVariables(
        launcher: "Slurm step", key: "SLURM_NTASKS", names: ["SLURM_PROCID", "SLURM_NTASKS"], isOuter: true
    ) { values throws(WorkerError) in
        let worker = try values.worker("SLURM_PROCID", of: "SLURM_NTASKS")
        // A batch script is process 0 of its job's tasks without being any of them.
        guard worker.count == 1 || values["SLURM_STEP_ID"] != nil else {
            throw values.contradiction(
                "SLURM_NTASKS is \(worker.count) and this is the batch script, not one of the tasks: start it with srun"
            )
        }
        return worker
    }

    /// The values of one launcher's variables. An empty value is none.
    struct Values {
        let launcher: String
        let environment: [String: String]

        subscript(name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }

        func number(_ name: String, _ missing: Int? = nil, atLeast least: Int = 0) throws(WorkerError) -> Int {
            guard let text = self[name] else {
                guard let missing else {
                    throw WorkerError("\(launcher): \(name) is not set; give the part as --part i/n")
                }
                return missing
            }
            guard let number = Int(text), number >= least, number <= Worker.most else {
                throw WorkerError("\(name) is '\(text)'; it must be a number from \(least) to \(Worker.most)")
            }
            return number
        }

        func worker(_ index: String, of count: String) throws(WorkerError) -> Worker {
            let total = try number(count, atLeast: 1)
            let place = try number(index)
            guard place < total else {
                throw contradiction("\(index) is \(place) and \(count) is \(total)")
            }
            return Worker(index: place, count: total)
        }

        func contradiction(_ what: String) -> WorkerError {
            WorkerError("\(what); unset what another launcher left behind, or give the part as --part i/n")
        }
    }
}
