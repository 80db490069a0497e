import ArgumentParser
import Foundation

/// Where the process starts: every failure leaves as one line on standard error and a documented exit status.
@main
enum EntryPoint {
    static func main() async {
        // A reader that goes away (`attune query … | head`) ends the process quietly.
        signal(SIGPIPE, SIG_DFL)
        // A file that may not grow any further is an error of the write, as a full disk is.
        signal(SIGXFSZ, SIG_IGN)
        do {
            var command = try Attune.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let code as ExitCode {
            exit(code.rawValue)
        } catch {
            // Usage, help and version belong to the parser; everything else is ours to put in one line.
            guard Attune.exitCode(for: error) == .failure else { Attune.exit(withError: error) }
            standardError("attune: " + oneLine("\(error)"))
            exit(ExitStatus.failure.rawValue)
        }
    }
}

/// Writes a line to standard error.
func standardError(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
}

/// `text` without line breaks.
func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
}
