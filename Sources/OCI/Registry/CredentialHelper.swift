import Foundation

/// A `docker-credential-NAME` program: it reads a registry's name and prints what it knows as JSON.
struct CredentialHelper {
    let name: String
    let environment: [String: String]
    /// The file that names it.
    let file: String

    private struct Answer: Decodable {
        var Username: String
        var Secret: String
    }

    func credentials(for registry: String) throws(OCIError) -> Credentials? {
        let program = "docker-credential-\(name)"
        guard name.wholeMatch(of: /[A-Za-z0-9_.-]+/) != nil, let url = find(program) else {
            throw OCIError(
                .unauthorized, registry, "the credential helper \(program), which \(file) names, is not on PATH")
        }
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = url
        process.arguments = ["get"]
        process.environment = environment
        (process.standardInput, process.standardOutput) = (input, output)
        process.standardError = FileHandle.nullDevice
        let data: Data
        do {
            try process.run()
            // A program that does not read its input has closed it already.
            try? input.fileHandleForWriting.write(contentsOf: Data("\(registry)\n".utf8))
            try? input.fileHandleForWriting.close()
            data = try output.fileHandleForReading.readToEnd() ?? Data()
        } catch {
            throw OCIError(.unauthorized, registry, "the credential helper \(program) could not be run")
        }
        process.waitUntilExit()
        // A failure is how a helper says that it knows nothing.
        guard process.terminationStatus == 0 else { return nil }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: data) else {
            throw OCIError(.unauthorized, registry, "the credential helper \(program) did not answer with JSON")
        }
        let source = "\(program), named in \(file)"
        if answer.Secret.isEmpty { return nil }
        if answer.Username == "<token>" { return Credentials(.identityToken(answer.Secret), from: source) }
        return Credentials(.password(user: answer.Username, password: answer.Secret), from: source)
    }

    private func find(_ program: String) -> URL? {
        (environment["PATH"] ?? "").split(separator: ":")
            .map { URL(fileURLWithPath: String($0)).appending(path: program) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }
}
