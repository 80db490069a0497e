import AsyncHTTPClient
import Corpus
import Foundation
import NIOCore
import NIOHTTP1

/// Brings one blob to a file. What the file holds already is continued (Range); nothing counts before size and SHA-256
/// are right.
struct BlobDownload {
    let client: RegistryClient
    let blob: Descriptor
    let file: URL

    func run(received: @Sendable (Int) -> Void) async throws(OCIError) {
        var hasStartedOver = false
        try await client.retry.run { () async throws(AttemptError) in
            let partial = try PartialFile(file, limit: blob.size)
            let resumed = partial.count
            received(resumed)
            do throws(AttemptError) {
                if partial.count < blob.size { try await receive(into: partial, received: received) }
            } catch {
                var failure = error
                failure.madeProgress = partial.count > resumed
                throw failure
            }
            guard partial.finish() == blob.digest.sha256 else {
                try? FileManager.default.removeItem(at: file)
                var failure = AttemptError.final(
                    .mismatch, "\(client.reference.registry)",
                    "sent other bytes than \(blob.digest): nothing of them was kept")
                // What an earlier process left may have been torn by a crash: once more from the start.
                failure.mayRetry = resumed > 0 && !hasStartedOver
                hasStartedOver = true
                throw failure
            }
        }
    }

    private func receive(
        into partial: PartialFile, received: @Sendable (Int) -> Void
    ) async throws(AttemptError) {
        var request = HTTPRequest(method: .GET, url: client.url("blobs/\(blob.digest)"))
        if partial.count > 0 { request.headers.append(("Range", "bytes=\(partial.count)-")) }
        let answer = try await client.send(request, access: .pull)
        switch answer.status {
        case 206 where Self.start(answer) == partial.count: break
        case 200: try partial.restart()
        case 206, 416:
            // An answer about another part: ask for the whole.
            await answer.discard()
            try partial.restart()
            throw .again(client.reference.registry, "sends another part of \(blob.digest) than it was asked for")
        default: throw await RegistryClient.explained(answer, subject: "\(client.reference.registry) \(blob.digest)")
        }
        do {
            for try await buffer in answer.body {
                guard partial.count + buffer.readableBytes <= blob.size else {
                    try? FileManager.default.removeItem(at: file)
                    throw AttemptError.final(
                        .mismatch, client.reference.registry,
                        "sends more than the \(blob.size) bytes that \(blob.digest) has")
                }
                try partial.append(buffer)
                received(partial.count)
            }
        } catch let error as AttemptError {
            throw error
        } catch {
            throw .again(client.reference.registry, HTTPTransport.reason(error))
        }
        guard partial.count == blob.size else {
            throw .again(
                client.reference.registry, "sent \(partial.count) of the \(blob.size) bytes of \(blob.digest)")
        }
    }

    /// Where a partial answer begins.
    private static func start(_ answer: HTTPAnswer) -> Int? {
        guard let text = answer.headers.first(name: "Content-Range"), text.hasPrefix("bytes ") else { return nil }
        return text.dropFirst(6).split(separator: "-").first.flatMap { Int($0) }
    }
}
