import ArgumentParser
import Foundation
import Workflows

/// Where the process starts: every failure leaves as one line on standard error and a documented exit status.
@main
enum EntryPoint {
    static func main() async {
        StandardStreams.prepare()
        Interruption.begin()
        TableWidth.use(TerminalSize.columns(of: STDOUT_FILENO))
        end(await run())
    }

    private static func run() async -> Int32 {
        do {
            var command = try Attune.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return ExitStatus.success.rawValue
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            // Usage, help and version are the parser's to word; everything else is ours to put in one line.
            let error = (error as? UsageError).map { ValidationError($0.description) } ?? error
            let code = Attune.exitCode(for: error)
            switch code {
            case .success: print(Attune.fullMessage(for: error))
            case .failure: standardError("attune: " + joinedLines("\(error)"))
            default: standardError(Attune.fullMessage(for: error))
            }
            return code.rawValue
        }
    }

    /// Ends the process. Output that could not be written is a failure of any command that did not fail already.
    static func end(_ status: Int32) -> Never {
        if let problem = StandardOutput.problem() {
            standardError("attune: standard output: cannot be written (\(problem)); send it where there is space")
            exit(status == ExitStatus.success.rawValue ? ExitStatus.failure.rawValue : status)
        }
        exit(status)
    }
}
