import Cluster
import Testing

/// Which of a job's workers a process is, by its environment.
@Suite struct WorkerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let environment: [String: String]
        let part: String
        var testDescription: String { name }
    }

    static func array(_ id: Int, _ range: ClosedRange<Int>, step: Int? = nil, count: Int? = nil) -> [String: String] {
        var environment = [
            "SLURM_ARRAY_TASK_ID": "\(id)", "SLURM_ARRAY_TASK_MIN": "\(range.lowerBound)",
            "SLURM_ARRAY_TASK_MAX": "\(range.upperBound)",
        ]
        environment["SLURM_ARRAY_TASK_STEP"] = step.map(String.init)
        environment["SLURM_ARRAY_TASK_COUNT"] = count.map(String.init)
        return environment
    }

    static let cases = [
        Case(name: "array from 1", environment: array(1, 1...8), part: "1/8"),
        Case(name: "array's last", environment: array(8, 1...8, step: 1, count: 8), part: "8/8"),
        Case(name: "array from 0", environment: array(0, 0...99, count: 100), part: "1/100"),
        Case(name: "array with steps", environment: array(15, 3...15, step: 4, count: 4), part: "4/4"),
        Case(
            name: "array with steps that end before its bound", environment: array(9, 1...10, step: 4, count: 3),
            part: "3/3"),
        Case(name: "array of one task", environment: array(7, 7...7, count: 1), part: "1/1"),
        Case(name: "Kubernetes", environment: ["JOB_COMPLETION_INDEX": "4", "JOB_COMPLETIONS": "5"], part: "5/5"),
        Case(name: "Open MPI", environment: ["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "4"], part: "1/4"),
        Case(name: "PMI", environment: ["PMI_RANK": "3", "PMI_SIZE": "4"], part: "4/4"),
        Case(name: "torchrun", environment: ["RANK": "1", "WORLD_SIZE": "2"], part: "2/2"),
        Case(
            name: "Slurm step", environment: ["SLURM_PROCID": "1", "SLURM_NTASKS": "3", "SLURM_STEP_ID": "0"],
            part: "2/3"),
        Case(name: "one task", environment: ["SLURM_PROCID": "0", "SLURM_NTASKS": "1"], part: "1/1"),
        // What an array's task inherits as its one process says nothing.
        Case(
            name: "array's task with one process",
            environment: array(2, 1...8).merging(["SLURM_PROCID": "0", "SLURM_NTASKS": "1"]) { $1 }, part: "2/8"),
        Case(
            name: "mpirun with one rank in an array's task",
            environment: array(2, 1...8).merging(["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"]) { $1 },
            part: "2/8"),
        // mpirun in a batch script: its ranks inherit the script's.
        Case(
            name: "mpirun in a Slurm job",
            environment: [
                "SLURM_PROCID": "0", "SLURM_NTASKS": "4", "OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4",
            ], part: "3/4"),
        Case(
            name: "two that agree",
            environment: ["PMI_RANK": "1", "PMI_SIZE": "2", "RANK": "1", "WORLD_SIZE": "2"], part: "2/2"),
        Case(
            name: "RANK without WORLD_SIZE", environment: array(2, 1...8).merging(["RANK": "gold"]) { $1 }, part: "2/8"),
        Case(
            name: "empty variables",
            environment: array(2, 1...8).merging(["JOB_COMPLETION_INDEX": "", "WORLD_SIZE": ""]) { $1 }, part: "2/8"),
    ]

    @Test(arguments: cases) func aWorkerIsFound(_ example: Case) throws {
        #expect(try Worker.found(in: example.environment).worker.description == example.part)
    }

    @Test func whatWasFoundIsSaid() throws {
        let found = try Worker.found(in: Self.array(3, 1...8, count: 8))
        #expect(
            found.description
                == "part 3/8, by Slurm array (SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=8 SLURM_ARRAY_TASK_COUNT=8)"
        )
    }

    static let wrong: [(environment: [String: String], says: String)] = [
        ([:], "--part auto: no scheduler says which part this is"),
        (["RANK": "1"], "no scheduler says"),
        (array(9, 1...8), "SLURM_ARRAY_TASK_ID is 9, which is not from 1 to 8"),
        (array(0, 1...8), "not from 1 to 8"),
        (array(4, 1...9, step: 2), "not reached from 1 in steps of 2"),
        (array(2, 1...9, step: 1, count: 3), "SLURM_ARRAY_TASK_COUNT is 3, and 1 to 9 in steps of 1 are 9"),
        (array(2, 1...9, step: 0), "SLURM_ARRAY_TASK_STEP is '0'"),
        (["SLURM_ARRAY_TASK_ID": "1"], "SLURM_ARRAY_TASK_MIN is not set"),
        (array(2, 1...8).merging(["SLURM_ARRAY_TASK_ID": "2x"]) { $1 }, "SLURM_ARRAY_TASK_ID is '2x'"),
        (["JOB_COMPLETION_INDEX": "0"], "set it to the Job's completions in the container's env"),
        (["JOB_COMPLETION_INDEX": "5", "JOB_COMPLETIONS": "5"], "JOB_COMPLETION_INDEX is 5 and JOB_COMPLETIONS is 5"),
        (["JOB_COMPLETION_INDEX": "-1", "JOB_COMPLETIONS": "5"], "JOB_COMPLETION_INDEX is '-1'"),
        (["OMPI_COMM_WORLD_RANK": "0"], "OMPI_COMM_WORLD_SIZE is not set"),
        (["OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "0"], "OMPI_COMM_WORLD_SIZE is '0'"),
        (["PMI_RANK": "4", "PMI_SIZE": "4"], "PMI_RANK is 4 and PMI_SIZE is 4"),
        (["WORLD_SIZE": "4"], "RANK is not set"),
        (["RANK": "1", "WORLD_SIZE": "99999999999999999999"], "WORLD_SIZE is '99999999999999999999'"),
        (["SLURM_PROCID": "0", "SLURM_NTASKS": "4"], "start it with srun"),
        (
            array(2, 1...8).merging(["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4"]) { $1 },
            "say part 2/8, OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=4 say 2/4"
        ),
        (
            ["JOB_COMPLETION_INDEX": "1", "JOB_COMPLETIONS": "4", "RANK": "0", "WORLD_SIZE": "4"],
            "say part 2/4, RANK=0 WORLD_SIZE=4 say 1/4"
        ),
    ]

    @Test(arguments: 0..<wrong.count) func whatMakesNoSenseIsAnErrorOfOneLine(_ place: Int) {
        let (environment, says) = Self.wrong[place]
        let error = #expect(throws: WorkerError.self) { try Worker.found(in: environment) }
        #expect(error?.description.contains(says) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }
}
