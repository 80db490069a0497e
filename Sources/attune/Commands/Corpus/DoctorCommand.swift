import ArgumentParser
import Foundation
import Workflows

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Show versions, BLAS core and threads, free disk, and what is missing.")

    @Option(help: "The folder whose disk is looked at.", completion: .directory)
    var corpus = ProcessInfo.processInfo.environment["ATTUNE_CORPUS"] ?? "."

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let report = MachineReport(version: attuneVersion, folder: corpus)
        print(output.json ? try jsonText(report) : report.text)
    }
}
