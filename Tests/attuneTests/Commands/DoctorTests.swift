import Foundation
import Testing

@Suite struct DoctorTests {
    @Test func warnsOfAPinnedCore() throws {
        let outcome = try Attune.run("doctor", "--corpus", "/tmp", environment: ["OPENBLAS_CORETYPE": "Haswell"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("OPENBLAS_CORETYPE=Haswell"))
    }

    @Test func printsJSON() throws {
        let data = Data(try Attune.succeed("doctor", "--corpus", "/tmp", "--json").utf8)
        struct Report: Decodable { let blasCore: String, threads: Int, freeDiskBytes: Int }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let report = try decoder.decode(Report.self, from: data)
        #expect(report.threads > 0)
        #expect(report.freeDiskBytes > 0)
    }

    @Test func aWrongCommandLineExitsWith64() throws {
        #expect(try Attune.run("doctor", "--no-such-option").status == 64)
        #expect(try Attune.run("no-such-command").status == 64)
    }

    @Test func helpDocumentsExitCodes() throws {
        #expect(try Attune.succeed("--help").contains("130  interrupted"))
    }
}
