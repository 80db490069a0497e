extension MPIGroup {
    /// The ranks that this process was started as one of; nil where it was started alone.
    ///
    /// Open MPI's mpirun says so by OMPI_COMM_WORLD_SIZE, `srun --mpi=pmix` by PMIX_RANK in a step of several tasks.
    ///
    /// - Throws: ``RankError`` for another MPI's launcher, and where Open MPI does not start.
    package static func launched(_ environment: [String: String]) throws(RankError) -> MPIGroup? {
        func count(_ name: String) -> Int { environment[name].flatMap { Int($0) } ?? 0 }
        if count("OMPI_COMM_WORLD_SIZE") > 1 { return try MPIGroup() }
        if environment["PMIX_RANK"] != nil, environment["SLURM_STEP_ID"] != nil, count("SLURM_NTASKS") > 1 {
            return try MPIGroup()
        }
        guard count("PMI_SIZE") > 1 else { return nil }
        throw RankError(
            "PMI_SIZE is \(count("PMI_SIZE")): the launcher is MPICH's, Intel MPI's or srun --mpi=pmi2, and attune train speaks "
                + "Open MPI: start it with Open MPI's mpirun, or srun --mpi=pmix")
    }
}
