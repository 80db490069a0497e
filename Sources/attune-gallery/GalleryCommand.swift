import ArgumentParser
import Foundation
import Gallery

/// What `attune serve` starts; its options are documented there.
@main
struct GalleryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attune-gallery", abstract: "Serve a corpus to browsers; started by attune serve.")

    @Option(help: "The corpus's folder.", completion: .directory)
    var corpus: String

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 for any that is free.")
    var port = 7878

    @Flag(help: "Let the pages pick, star, tag, vote and change selections.")
    var allowEdits = false

    @Flag(help: "Ask for the token on this machine's own address, too.")
    var token = false

    @Option(help: "A further name by which browsers may call this machine; may be repeated.")
    var allowHost: [String] = []

    @Option(help: ArgumentHelp("How long one query of a page may take.", valueName: "seconds"))
    var querySeconds = 5.0

    @Option(parsing: .singleValue, help: "A folder of images to compare, as NAME=DIR; may be repeated.")
    var folder: [String] = []

    func validate() throws {
        guard (0...65535).contains(port) else { throw ValidationError("--port is \(port); it must be from 0 to 65535") }
        guard querySeconds > 0, querySeconds <= 3600 else {
            throw ValidationError("--query-seconds is \(querySeconds); it must be above 0 and at most 3600")
        }
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let edits = allowEdits
        do {
            let options = GalleryOptions(
                corpus: URL(fileURLWithPath: corpus, isDirectory: true), host: host, port: port, allowsEdits: edits,
                needsToken: token, token: ProcessInfo.processInfo.environment["ATTUNE_GALLERY_TOKEN"], names: allowHost,
                querySeconds: querySeconds, folders: try folder.map { try NamedFolder($0) })
            try await GalleryServer(options).run { address in
                var lines = ["gallery at \(address.url) (\(edits ? "edits allowed" : "read-only"); ctrl-C ends it)"]
                if address.hasToken {
                    lines.append(
                        "every request must carry the token of this address; give the address only to those who may look"
                    )
                }
                if !address.isLoopback {
                    lines.append(
                        "other machines can reach it, without encryption: use it on networks that you trust, or over ssh -L"
                    )
                }
                FileHandle.standardOutput.write(Data((lines.joined(separator: "\n") + "\n").utf8))
            }
        } catch {
            FileHandle.standardError.write(Data("attune: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }
}
