import ArgumentParser
import Foundation
import Workflows

/// Starts the gallery, which is a program of its own: who uses Attune as an engine builds no web server.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Show a corpus in the browser: look, compare, pick, and watch runs.",
        discussion: """
            Listens on this machine's own address alone, unless --host names another; every request must then carry the \
            token that is printed. Pages change nothing unless --allow-edits is given.
            """)

    @OptionGroup var corpus: CorpusOptions

    @Option(help: "The port to listen on; 0 for any that is free.")
    var port = 7878

    @Option(
        help: ArgumentHelp(
            "The address to listen on; any but this machine's own needs the token that is printed.",
            valueName: "address"))
    var host = "127.0.0.1"

    @Flag(help: "Let the pages pick, star, tag, vote and change selections.")
    var allowEdits = false

    @Flag(help: "Ask for the token on this machine's own address, too.")
    var token = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A further name by which browsers may call this machine, as behind a proxy; may be repeated.",
            valueName: "name"))
    var allowHost: [String] = []

    @Option(help: ArgumentHelp("How long one query of a page may take.", valueName: "seconds"))
    var querySeconds = 5.0

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "A folder of images to compare, such as attune sample fills, under a name of its own; may be repeated.",
            valueName: "name=folder"), completion: .directory)
    var folder: [String] = []

    static let program = "attune-gallery"

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port is \(port); it must be from 0 to 65535") }
        guard querySeconds > 0, querySeconds <= 3600 else {
            throw ValidationError("--query-seconds is \(querySeconds); it must be above 0 and at most 3600")
        }
    }

    func run() throws {
        var arguments = ["--corpus", try corpus.folder.path, "--port", String(port), "--host", host]
        arguments += ["--query-seconds", String(querySeconds)]
        if allowEdits { arguments.append("--allow-edits") }
        if token { arguments.append("--token") }
        for named in folder { arguments += ["--folder", named] }
        for name in allowHost { arguments += ["--allow-host", name] }
        try Self.replaceProcess(arguments)
    }

    /// Becomes the program beside this one, so that signals and the exit status are its own.
    private static func replaceProcess(_ arguments: [String]) throws {
        let path = try Self.place()
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { signal(number, SIG_DFL) }
        execv(path, &words)
        throw Failure(
            "\(path): cannot be started (\(String(cString: strerror(errno)))); build it again with `make gallery`")
    }

    private static func place() throws -> String {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = URL(fileURLWithPath: own ?? CommandLine.arguments[0]).deletingLastPathComponent()
        let path = folder.appending(path: program).path
        guard access(path, X_OK) == 0 else {
            throw Failure("\(path): is missing; build it with `make gallery`, or install attune with `make install`")
        }
        return path
    }
}
