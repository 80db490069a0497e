import Foundation
import Testing

/// How many threads compute: what the process may use, or what it is told.
@Suite struct ThreadTests {
    private struct Report: Decodable { let threads, processors: Int }

    private func report(_ script: String, environment: [String: String] = [:]) throws -> Report {
        let outcome = try Shell.run(script, environment: environment)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    }

    @Test func theAffinityMaskCounts() throws {
        let report = try report("exec taskset -c 0 \(Shell.attune(["doctor", "--json", "--corpus", "/tmp"]))")
        #expect(report.threads == 1 && report.processors == 1)
    }

    @Test func anOptionAndTheEnvironmentCount() throws {
        let json = Shell.attune(["doctor", "--json", "--corpus", "/tmp", "--threads", "3"])
        #expect(try report(json).threads == 3)
        // Before the subcommand too.
        #expect(try report(Shell.attune(["--threads", "4", "doctor", "--json", "--corpus", "/tmp"])).threads == 4)
        let plain = Shell.attune(["doctor", "--json", "--corpus", "/tmp"])
        #expect(try report(plain, environment: ["ATTUNE_THREADS": "5"]).threads == 5)
        #expect(try report(json, environment: ["ATTUNE_THREADS": "5"]).threads == 3)
        #expect(try Attune.succeed("doctor", "--corpus", "/tmp", "--threads", "9").contains("threads  9, of"))
    }
}
