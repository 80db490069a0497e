import Foundation
import Testing

@Suite struct DoctorTests {
    @Test func warnsOfAPinnedCore() throws {
        let outcome = try Attune.run("doctor", "--corpus", "/tmp", environment: ["OPENBLAS_CORETYPE": "Haswell"])
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("OPENBLAS_CORETYPE=Haswell"))
    }

    @Test func saysWhichProductsRun() throws {
        let outcome = try Attune.run("doctor", "--corpus", "/tmp", environment: ["ATTUNE_VECTOR_LEVEL": "x86-64-v3"])
        #expect(outcome.output.contains("products by OpenBLAS"), "\(outcome.output)")
    }

    @Test func printsJSON() throws {
        let data = Data(try Attune.succeed("doctor", "--corpus", "/tmp", "--json").utf8)
        struct Report: Decodable {
            let blas, blasCore, vectorLevel, products: String
            let threads, freeDiskBytes, memoryBytes: Int
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let report = try decoder.decode(Report.self, from: data)
        #expect(report.threads > 0)
        #expect(report.memoryBytes > 1 << 28)
        #expect(report.blas.hasPrefix("OpenBLAS"))
        #expect(report.products == "attune \(report.vectorLevel)" || report.products == "OpenBLAS \(report.blasCore)")
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
